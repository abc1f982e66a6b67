/** What the official engine is taken at; the SDK in package.json has the same version. */
export const PULUMI_VERSION = "3.270.0";

/** Oldest engine that will do: the newest that can be built from Go modules. */
export const OLDEST_PULUMI = "3.256.0";

/** OpenClaw of the local stack. The schema kept in `templates/` belongs to it. */
export const OPENCLAW_VERSION = "2026.9.6";

/** Caddy of the local stack. */
export const CADDY_VERSION = "2.11.4";

/** What the workflows in `.github` are held to by tests. */
export const ACTIONLINT_VERSION = "1.7.12";
