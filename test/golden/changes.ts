import type { z } from "zod";

import type { Settings } from "../../plan/settings.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { CANARY, client, type Stand } from "../support/repository.ts";

type SettingsInput = z.input<typeof Settings>;
type HostInput = SettingsInput["hosts"][string];

/** One change of a repository, and what its comment is made of. */
export interface Change {
  before?: Stand | undefined;
  after: Stand;
  /** Name of a saved preview in previews/. */
  preview?: string;
}

const OPERATOR = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAGvJo8AhqzxcRNR37xaC7W/zes98Y1TEZTQ6RIgIdbL ann@laptop";
const image = (version: string, digit: string): string => `openclaw/openclaw:${version}@sha256:${digit.repeat(64)}`;

function server(over: Partial<Extract<HostInput, { kind: "hetzner" }>> = {}): HostInput {
  return { kind: "hetzner", serverType: "cx43", location: "fsn1", dataGb: 100, sshFrom: ["203.0.113.7/32"], ...over };
}

function settings(over: Partial<SettingsInput> = {}): SettingsInput {
  return {
    domain: "example.com",
    image: image("2026.9.6", "a"),
    caddyImage: `caddy:2.11.4@sha256:${"c".repeat(64)}`,
    operators: { ann: OPERATOR },
    dns: { zoneId: "0123456789abcdef".repeat(2) },
    hosts: { "host-1": server() },
    ...over,
  };
}

const acme = client("acme", 18801, { expose: ["controlUi"], telegram: {} });
const globex = client("globex", 18802, { size: "large", expose: ["hooks"] });
const initech = client("initech", 18803, { size: "small", env: ["ANTHROPIC_API_KEY"] });
const secrets = { acme: ["TELEGRAM_BOT_TOKEN"], initech: ["ANTHROPIC_API_KEY"] };

/** The fleet that every change starts from. */
const before: Stand = { tenants: [acme, globex, initech], settings: settings(), secrets };

function withTenants(...tenants: readonly unknown[]): Change {
  return { before, after: { ...before, tenants } };
}

function withSettings(over: Partial<SettingsInput>, tenants: readonly TenantInput[] = [acme, globex, initech]): Change {
  return { before, after: { ...before, tenants, settings: settings(over) } };
}

function withHost(over: Parameters<typeof server>[0]): Change {
  return withSettings({ hosts: { "host-1": server(over) } });
}

const unprotected: Stand = { ...before, settings: settings({ hosts: { "host-1": server({ protected: false }) } }) };
const twoHosts = settings({ hosts: { "host-1": server(), "host-2": server({ serverType: "cax21", location: "nbg1", dataGb: 50 }) } });

/** Changes whose comments stand in expected/comments/, by name. */
export const changes: Readonly<Record<string, Change>> = {
  nothing: withTenants(initech, globex, acme),

  "the-first-list": { before: undefined, after: before },

  add: withTenants(acme, globex, initech, client("hooli", 18804, { name: "Hooli Bikes", expose: ["controlUi", "api"] })),

  "add-somebody-known": withTenants(acme, globex, initech, client("hooli", 18804, { adopt: true })),

  change: {
    before,
    after: {
      ...before,
      secrets: { ...secrets, acme: ["NOTION_API_KEY", "TELEGRAM_BOT_TOKEN"] },
      tenants: [
        { ...acme, size: "large", env: ["NOTION_API_KEY"], config: { logging: { level: "debug" }, messages: { responsePrefix: CANARY } } },
        globex,
        { ...initech, limits: { memoryMb: 1792, heapMb: 512 } },
      ],
    },
  },

  suspend: withTenants(acme, { ...globex, status: "suspended" }, initech),

  resume: { before: { ...before, tenants: [acme, { ...globex, status: "suspended" }, initech] }, after: before },

  move: {
    before: { ...before, settings: twoHosts },
    after: { ...before, settings: twoHosts, tenants: [acme, { ...globex, host: "host-2", moveFrom: "host-1" }, initech] },
  },

  "move-unsaid": {
    before: { ...before, settings: twoHosts },
    after: { ...before, settings: twoHosts, tenants: [acme, { ...globex, host: "host-2" }, initech] },
  },

  remove: withTenants(acme, initech),

  overfill: withTenants(acme, globex, initech, client("hooli", 18804, { size: "large" }), client("umbrella", 18805, { size: "large" })),

  "broken-list": withTenants({ ...acme, size: "huge", telegramm: {} }, { ...globex, port: 18801 }, { ...initech, config: { gateway: { bind: "lan" } } }),

  "broken-file": { before, after: { ...before, files: { "tenants/prod.ts": 'export default [\n  { id: "acme", name: "Acme" }\n  { id: "globex" },\n];\n' } } },

  rebuild: {
    before: unprotected,
    after: { ...before, settings: settings({ hosts: { "host-1": server({ protected: false, rebuild: "again", image: "ubuntu-26.04" }) } }) },
  },

  "rebuild-protected": withHost({ rebuild: "again" }),

  // YAML takes it for a date, and the engine hands a date on in words of its own.
  "rebuild-unquoted": {
    before: unprotected,
    after: { ...before, settings: settings({ hosts: { "host-1": server({ protected: false, rebuild: "2026-12-24" }) } }) },
  },

  resize: withHost({ serverType: "cx53", rebootAt: "03:00" }),

  unprotect: withHost({ protected: false, backups: false }),

  shrink: withHost({ dataGb: 50 }),

  "another-host": withSettings({ hosts: { "host-1": server(), desk: { kind: "docker", endpoint: "ssh://deploy@203.0.113.10", memoryMb: 16_384, cpus: 8 } } }, [
    acme,
    globex,
    initech,
  ]),

  "host-goes": { before: { ...unprotected, tenants: [] }, after: { ...before, tenants: [], settings: settings({ hosts: { "host-2": server() } }) } },

  "host-goes-with-its-tenant": {
    before: { ...unprotected, tenants: [acme], settings: settings({ hosts: { "host-1": server({ protected: false }), "host-2": server() } }) },
    after: { ...before, tenants: [], settings: settings({ hosts: { "host-2": server() } }) },
  },

  "host-goes-protected": { before: { ...before, tenants: [], settings: twoHosts }, after: { ...before, tenants: [] } },

  image: withSettings({ image: image("2026.9.7", "b") }),

  "image-of-one": withTenants(acme, { ...globex, image: image("2026.9.7", "b") }, initech),

  caddy: withSettings({ caddyImage: `caddy:2.11.5@sha256:${"d".repeat(64)}` }),

  domain: withSettings({ domain: "example.org" }),

  skills: { before, after: { ...before, files: { "skills/house-style/SKILL.md": "---\nname: house-style\ndescription: another\n---\nWrite otherwise.\n" } } },

  seeds: { before, after: { ...before, files: { "tenants/acme/workspace/USER.md": "Somebody else.\n" } } },

  "exposes-more": {
    before: { ...before, settings: settings({ dns: { zoneId: "0123456789abcdef".repeat(2), originPulls: true } }) },
    after: {
      ...before,
      secrets: { ...secrets, acme: ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"] },
      tenants: [{ ...acme, telegram: { mode: "webhook", dmPolicy: "open", allowFrom: ["*"] } }, { ...globex, expose: ["hooks", "api"] }, initech],
      settings: settings({
        operators: { ann: OPERATOR, bob: OPERATOR.replace("IdbL ann@laptop", "AAAA bob@laptop") },
        otlpEndpoint: `https://ann:${CANARY}@collector.example.net/${CANARY}`,
        hosts: { "host-1": server({ sshFrom: ["203.0.113.7/32", "198.51.100.0/24"] }) },
      }),
    },
  },

  unproxied: withSettings({ dns: { zoneId: "0123456789abcdef".repeat(2), proxied: false } }),

  "secret-in-settings": {
    before,
    after: {
      ...before,
      files: {
        "Pulumi.prod.yaml": `config:\n  hcloud:token: ${CANARY}\n  openclaw-tenants:secrets:\n    acme:\n      TELEGRAM_BOT_TOKEN: ${CANARY}\n  openclaw-tenants:settings: {}\n`,
      },
    },
  },

  "secret-in-list": withTenants(
    { ...acme, env: [CANARY] },
    { ...globex, config: { channels: { discord: { token: CANARY } } } },
    {
      ...initech,
      model: {
        primary: "house/small",
        providers: {
          house: {
            baseUrl: "https://llm.example.com",
            api: "openai-completions",
            apiKey: CANARY,
            models: [{ id: "small", contextWindow: 8192, maxTokens: 1024, cost: { input: 1, output: 2 } }],
          },
        },
      },
    },
  ),

  "unreadable-before": { before: { ...before, tenants: [{ ...acme, port: 80 }] }, after: before },

  "odd-names": withTenants(
    { ...acme, name: "<img src=x> | `rm` [a](https://evil.example) @ann #1" },
    globex,
    initech,
    client("hooli", 18804, { name: "*bold*\u202Eeman & <!-- -->" }),
  ),

  "with-preview": { ...withTenants({ ...acme, size: "large" }, { ...globex, status: "suspended" }, client("hooli", 18804)), preview: "tenants" },

  "with-rebuild-preview": {
    before: unprotected,
    after: { ...before, settings: settings({ hosts: { "host-1": server({ protected: false, rebuild: "again" }) } }) },
    preview: "rebuild",
  },

  "with-stopped-preview": { ...withHost({ serverType: "cx53" }), preview: "host-gone-protected" },
};
