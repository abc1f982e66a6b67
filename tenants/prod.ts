import { defineTenants } from "./schema.ts";

/**
 * The fleet on the servers of Pulumi.prod.yaml: two examples, in whose place your clients go. A client is one entry: what it leaves out has a good
 * default, what it needs and does not have is told by the next preview. Take an entry out to offboard; data stays on the host until it is deleted
 * there on purpose. docs/tenants.md has every field, docs/production.md how to move a client to another host.
 */
export default defineTenants([
  {
    id: "initech",
    name: "Initech Accounting",
    host: "host-1",
    port: 18801,
    model: { primary: "anthropic/claude-sonnet-5" },
    env: ["ANTHROPIC_API_KEY"],
    telegram: { dmPolicy: "pairing" },
    expose: ["controlUi"],
  },
  {
    id: "umbrella",
    name: "Umbrella Insurance",
    host: "host-1",
    port: 18802,
    size: "large",
    model: {
      primary: "house/house-small",
      providers: {
        house: {
          baseUrl: "https://llm.example.com/v1",
          api: "openai-completions",
          apiKey: "HOUSE_API_KEY",
          models: [{ id: "house-small", contextWindow: 128_000, maxTokens: 8192, cost: { input: 0.5, output: 1.5 } }],
        },
      },
    },
    telegram: { mode: "webhook", dmPolicy: "allowlist", allowFrom: ["123456789"] },
    expose: ["hooks"],
    config: { session: { maintenance: { pruneAfter: "14d" } } },
  },
]);
