import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isObject, type Json } from "../../lib/json.ts";
import type { FleetInput } from "../../plan/parse.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { roomy, secretsFor, tenantLists } from "../support/arbitraries.ts";
import { house, plan, plannedTenant, settings, tenant, tenantsOf } from "../support/fleet.ts";

function configOf(over: Partial<TenantInput>, input: Partial<FleetInput> = {}): unknown {
  const secrets = { acme: ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET", "HOUSE_API_KEY"] };
  return JSON.parse(plannedTenant(plan([tenant(over)], { secrets, ...input })).configFile.text);
}

/** Every field below a value with its name. */
function* fields(value: Json, key = ""): Generator<[string, Json]> {
  yield [key, value];
  if (typeof value === "object" && value !== null) for (const [name, child] of Object.entries(value)) yield* fields(child, name);
}

describe("a gateway's config", () => {
  it("never holds a credential, only the name of the variable that does", () => {
    let seen = 0;
    fc.assert(
      fc.property(tenantLists, (list) => {
        for (const { configFile, secrets } of tenantsOf(plan(list, { settings: roomy, secrets: secretsFor(list) }))) {
          const known = [...secrets, "OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_HOOKS_TOKEN"];
          for (const [key, value] of fields(JSON.parse(configFile.text) as Json)) {
            if (!/^(apiKey|token|botToken|webhookSecret|password)$/.test(key)) continue;
            seen++;
            const name = isObject(value) ? value["id"] : typeof value === "string" ? /^\$\{(\w+)\}$/.exec(value)?.[1] : undefined;
            expect(known).toContain(name);
          }
        }
      }),
    );
    expect(seen).toBeGreaterThan(100);
  });

  it("does not let a client's name read the environment", () => {
    expect(configOf({ name: "A ${OPENCLAW_GATEWAY_TOKEN} ${x} $5" })).toMatchObject({
      gateway: { controlUi: { environment: { label: "A $${OPENCLAW_GATEWAY_TOKEN} ${x} $5" } } },
    });
  });

  it("switches on exactly what the entry exposes", () => {
    const none = { gateway: { controlUi: { enabled: false }, http: { endpoints: { chatCompletions: { enabled: false }, responses: { enabled: false } } } } };
    expect(configOf({})).toMatchObject(none);
    expect(configOf({})).not.toHaveProperty("hooks");
    expect(configOf({})).not.toHaveProperty("channels");
    expect(configOf({ expose: ["controlUi"] })).toMatchObject({ gateway: { ...none.gateway, controlUi: { enabled: true } } });
    expect(configOf({ expose: ["api"] })).toMatchObject({
      gateway: { controlUi: { enabled: false }, http: { endpoints: { chatCompletions: { enabled: true }, responses: { enabled: true } } } },
    });
    expect(configOf({ expose: ["hooks"] })).toMatchObject({
      ...none,
      hooks: { enabled: true, token: "${OPENCLAW_HOOKS_TOKEN}", allowRequestSessionKey: false },
    });
  });

  it("believes forwarded addresses from the bridge where Caddy forwards any, and from nobody else", () => {
    expect(configOf({ host: "server" })).toMatchObject({ gateway: { trustedProxies: ["10.214.0.1"], publicOrigin: "https://acme.example.com" } });
    expect(configOf({ host: "laptop" })).toMatchObject({ gateway: { trustedProxies: [], controlUi: { allowedOrigins: ["http://acme.example.com:8080"] } } });
    // OpenClaw takes plain http for bare loopback names only.
    expect(configOf({ host: "laptop" })).not.toHaveProperty("gateway.publicOrigin");
  });

  it("closes what would reach past the container: shell, elevation, discovery, updates", () => {
    expect(configOf({})).toMatchObject({
      gateway: { terminal: { enabled: false }, auth: { mode: "token" } },
      tools: { elevated: { enabled: false }, exec: { security: "deny" } },
      browser: { enabled: false },
      discovery: { mdns: { mode: "off" } },
      update: { checkOnStart: false, auto: { enabled: false } },
      telemetry: { enabled: false },
      skills: { workshop: { autonomous: { mode: "off" } } },
    });
  });

  it("loads the plug-ins that the entry uses and no others", () => {
    expect(configOf({})).toMatchObject({ plugins: { allow: ["admin-http-rpc", "memory-core"] } });
    const model = { primary: "house/small", fallbacks: ["anthropic/claude-sonnet-5"], providers: { house: { ...house, apiKey: "HOUSE_API_KEY" } } };
    expect(configOf({ telegram: {}, model }, { settings: settings({ otlpEndpoint: "http://collector:4318" }) })).toMatchObject({
      plugins: { allow: ["admin-http-rpc", "anthropic", "diagnostics-otel", "memory-core", "telegram"] },
    });
  });

  it("passes a provider's prices on, and its key by name", () => {
    const model = { primary: "house/small", providers: { house: { ...house, apiKey: "HOUSE_API_KEY" } } };
    expect(configOf({ model })).toMatchObject({
      models: {
        providers: {
          house: {
            apiKey: { source: "env", id: "HOUSE_API_KEY" },
            models: [{ id: "small", name: "small", cost: { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 } }],
          },
        },
      },
    });
  });

  it("names the skills that the tenant may use, and those that it may not", () => {
    expect(configOf({ skills: { shared: [] } })).toMatchObject({ skills: { entries: { "house-style": { enabled: false } } } });
    // An empty allow-list would mean every bundled skill.
    expect(configOf({})).toMatchObject({ skills: { allowBundled: ["-"] } });
    expect(configOf({ skills: { bundled: ["weather"] } })).toMatchObject({ skills: { allowBundled: ["weather"], entries: {} } });
  });
});
