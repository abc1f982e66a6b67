import type { FleetInput } from "../../plan/parse.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { dockerHost, fleetInput, hetznerHost, hetznerSettings, type house, settings, tenant } from "../support/fleet.ts";

const ownModels: typeof house = {
  baseUrl: "https://llm.example.com/v1",
  api: "openai-responses",
  apiKey: "HOUSE_API_KEY",
  models: [
    { id: "small", name: "House small", contextWindow: 128_000, maxTokens: 8192, cost: { input: 0.2, output: 0.8 } },
    {
      id: "large",
      reasoning: true,
      input: ["text", "image"],
      contextWindow: 400_000,
      maxTokens: 32_768,
      cost: { input: 2, output: 8, cacheRead: 0.2, cacheWrite: 2.5 },
    },
  ],
};

/** A stack with this machine alone. */
const laptop = settings({ domain: "localhost", hosts: { laptop: { kind: "docker", memoryMb: 8192, cpus: 4 } } });
/** A stack with one machine for the world. */
const server = settings({
  otlpEndpoint: "http://collector.example.com:4318",
  hosts: { server: { kind: "docker", memoryMb: 8192, cpus: 4, edge: { public: true } } },
});

const dns = { zoneId: "0123456789abcdef".repeat(2) };
const cloudHosts = { "host-1": hetznerHost() };
const webhook: NonNullable<TenantInput["telegram"]> = { mode: "webhook", dmPolicy: "open", allowFrom: ["*"] };
const webhookSecrets = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"];

/** Fleets whose rendered files stand in expected/, by name. Each shows one part of what an entry can say. */
export const fleets: Readonly<Record<string, FleetInput>> = {
  empty: fleetInput([], { settings: laptop }),

  minimal: fleetInput([tenant()], { settings: laptop }),

  everything: fleetInput(
    [
      tenant({
        host: "server",
        size: "large",
        model: { primary: "anthropic/claude-sonnet-5", fallbacks: ["house/large", "openrouter/auto"], providers: { house: ownModels } },
        telegram: { dmPolicy: "allowlist", allowFrom: ["1234567"], groupPolicy: "allowlist", groupAllowFrom: ["-1001234567890"] },
        env: ["ANTHROPIC_API_KEY", "OPENROUTER_API_KEY", "NOTION_API_KEY", "HUBSPOT_TOKEN", "SMTP_PASSWORD"],
        expose: ["hooks", "controlUi", "api"],
        skills: { shared: ["house-style"], bundled: ["weather"] },
      }),
    ],
    {
      settings: server,
      secrets: { acme: ["ANTHROPIC_API_KEY", "HOUSE_API_KEY", "HUBSPOT_TOKEN", "NOTION_API_KEY", "OPENROUTER_API_KEY", "SMTP_PASSWORD", "TELEGRAM_BOT_TOKEN"] },
    },
  ),

  webhook: fleetInput([tenant({ host: "server", telegram: webhook })], {
    settings: server,
    secrets: { acme: webhookSecrets },
  }),

  suspended: fleetInput(
    [tenant({ status: "suspended", expose: ["controlUi", "hooks"] }), tenant({ id: "globex", name: "Globex Travel", port: 18802, expose: ["hooks"] })],
    { settings: laptop },
  ),

  authoring: fleetInput([tenant({ id: "house", name: "Our own", port: 18803, skills: { author: true } }), tenant({ skills: { authored: true, shared: [] } })], {
    settings: laptop,
  }),

  overlay: fleetInput(
    [
      tenant({
        env: ["DISCORD_TOKEN"],
        config: {
          tools: { profile: "coding", deny: ["browser"], web: { search: { enabled: false } } },
          session: { maintenance: { maxEntries: 200 } },
          channels: { discord: { enabled: true, token: { source: "env", provider: "default", id: "DISCORD_TOKEN" } } },
          logging: { level: "debug" },
        },
      }),
    ],
    { settings: laptop, secrets: { acme: ["DISCORD_TOKEN"] } },
  ),

  cloudflare: fleetInput(
    [
      tenant({ host: "host-1", telegram: webhook, expose: ["controlUi", "hooks"] }),
      tenant({ id: "globex", name: "Globex Travel", host: "host-1", port: 18802, status: "suspended" }),
    ],
    { settings: hetznerSettings({ hosts: cloudHosts }), secrets: { acme: webhookSecrets } },
  ),

  "origin-pulls": fleetInput([tenant({ host: "host-1" })], { settings: hetznerSettings({ hosts: cloudHosts, dns: { ...dns, originPulls: true } }) }),

  unproxied: fleetInput([tenant({ host: "host-1", expose: ["api"] })], {
    settings: hetznerSettings({ hosts: cloudHosts, dns: { ...dns, proxied: false } }),
  }),

  internal: fleetInput([tenant({ expose: ["controlUi"] })], {
    settings: settings({ domain: "localhost", hosts: { laptop: dockerHost({ edge: { tls: "internal" } }) } }),
  }),

  paused: fleetInput(
    [
      tenant({ host: "server", status: "suspended", telegram: webhook, expose: ["controlUi", "hooks"] }),
      tenant({ id: "globex", name: "Globex Travel", host: "server", port: 18802, telegram: webhook }),
    ],
    { settings: server, secrets: { acme: webhookSecrets, globex: webhookSecrets } },
  ),

  desktop: fleetInput([tenant({ expose: ["controlUi"] })], {
    settings: settings({ domain: "localhost", hosts: { laptop: { kind: "docker", memoryMb: 8192, cpus: 4, edge: { network: "bridge", httpPort: 8081 } } } }),
  }),
};
