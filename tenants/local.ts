import { defineTenants } from "./schema.ts";

/** The fleet on your own machine: two tenants that need no key to start. A new client is one more entry. */
export default defineTenants([
  { id: "acme", name: "Acme Plumbing", host: "local", port: 18801, size: "small", expose: ["controlUi", "hooks"] },
  { id: "globex", name: "Globex Travel", host: "local", port: 18802, size: "small", expose: ["controlUi"] },
]);
