import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isObject, type Json, type JsonObject } from "../../lib/json.ts";
import { applyOverlay, findOverlayMistakes, LOCKED_PATHS } from "../../plan/overlay.ts";
import { Tenant } from "../../tenants/schema.ts";
import { plan, plannedTenant, tenant } from "../support/fleet.ts";

/** A config with everything that a plan can put into one. */
const rendered = JSON.parse(
  plannedTenant(
    plan([tenant({ host: "server", expose: ["hooks", "controlUi", "api"], telegram: { mode: "webhook" } })], {
      secrets: { acme: ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"] },
    }),
  ).configFile.text,
) as JsonObject;

/** Overlays that aim at locked paths: their keys, others, and what JavaScript itself gives a meaning. */
const keys = fc.constantFrom(
  ...new Set(LOCKED_PATHS.flatMap((path) => path.split(".")).filter((key) => key !== "*")),
  "main",
  "entries",
  "level",
  "deny",
  "__proto__",
  "constructor",
);
const overlays = fc.oneof(
  fc.letrec<{ tree: JsonObject; leaf: Json }>((tie) => ({
    tree: fc.dictionary(keys, fc.oneof({ weight: 2, arbitrary: tie("leaf") }, { weight: 3, arbitrary: tie("tree") }), { maxKeys: 3 }),
    leaf: fc.oneof(fc.constant(null), fc.boolean(), fc.constantFrom<Json>("x", "off", [], [{ enabled: true }])),
  })).tree,
  // Right at a locked path, or just above one.
  fc.tuple(fc.constantFrom(...LOCKED_PATHS), fc.nat({ max: 2 }), fc.constantFrom<Json>(null, true, "x", [], {}, { enabled: true })).map(([path, up, value]) => {
    const parts = path.replace("*", "main").split(".");
    return parts.slice(0, Math.max(1, parts.length - up)).reduceRight<Json>((inner, key) => ({ [key]: inner }), value) as JsonObject;
  }),
);

/** The values at a dotted path, `*` being any key: what is there, and what is not. */
function valuesAt(config: Json | undefined, [key, ...rest]: readonly string[]): (Json | undefined)[] {
  if (key === undefined) return [config];
  if (!isObject(config)) return [undefined];
  if (key === "*") return Object.values(config).flatMap((each) => valuesAt(each, rest));
  return valuesAt(Object.hasOwn(config, key) ? config[key] : undefined, rest);
}

const present = (values: readonly (Json | undefined)[]): Json[] => values.filter((value) => value !== undefined);

describe("an overlay", () => {
  it("never changes a locked path", () => {
    let accepted = 0;
    fc.assert(
      fc.property(overlays, (config) => {
        if (findOverlayMistakes({ ...Tenant.parse(tenant()), config }).length > 0) return;
        accepted++;
        const applied = applyOverlay(rendered, config);
        for (const path of LOCKED_PATHS) expect(present(valuesAt(applied, path.split("."))), path).toEqual(present(valuesAt(rendered, path.split("."))));
      }),
      { numRuns: 3000 },
    );
    // Otherwise the loop above proves nothing.
    expect(accepted).toBeGreaterThan(100);
  });

  it("is refused at every locked path and below it, by name", () => {
    for (const path of LOCKED_PATHS.map((locked) => locked.replace("*", "main"))) {
      const config = path.split(".").reduceRight<Json>((inner, key) => ({ [key]: inner }), { anything: true }) as JsonObject;
      expect(findOverlayMistakes({ ...Tenant.parse(tenant()), config })).toEqual([
        expect.stringContaining(`tenant "acme", field config.${path}: this path is locked`),
      ]);
    }
  });

  it("reaches nothing that opens the container, its gateway, its secrets or its files to others", () => {
    const config = {
      $include: "x",
      browser: { enabled: true },
      channels: {
        telegram: {
          accounts: {},
          apiRoot: "x",
          botToken: "x",
          configWrites: true,
          enabled: true,
          tokenFile: "x",
          webhookHost: "x",
          webhookPath: "x",
          webhookPort: 1,
          webhookSecret: "x",
          webhookUrl: "x",
        },
      },
      agents: {
        defaults: { workspace: "/", sandbox: { docker: {} } },
        entries: { other: { workspace: "/", agentDir: "/", sandbox: { docker: {} }, tools: { elevated: {}, exec: { host: "node" } } } },
      },
      cron: { webhookToken: "x" },
      diagnostics: { otel: {} },
      discovery: {},
      env: {},
      gateway: {},
      hooks: {},
      logging: { file: "/etc/passwd" },
      plugins: {},
      secrets: {},
      skills: { allowBundled: [], install: {}, load: {} },
      tools: { elevated: {}, exec: { host: "node" } },
      update: {},
    };
    const mistakes = findOverlayMistakes({ ...Tenant.parse(tenant()), config });
    expect(mistakes.filter((line) => !line.includes("this path is locked"))).toEqual([]);
    expect(mistakes).toHaveLength(35);
  });

  it("merges objects, replaces everything else and keeps the rest", () => {
    const config = { tools: { profile: "full", deny: ["exec"] }, session: { maintenance: { maxEntries: 5 } } };
    const text = plannedTenant(plan([tenant({ config })])).configFile.text;
    const base = JSON.parse(plannedTenant(plan([tenant()])).configFile.text) as { tools: object; session: { maintenance: object } };
    expect(JSON.parse(text)).toEqual({
      ...base,
      tools: { ...base.tools, ...config.tools },
      session: { ...base.session, maintenance: { ...base.session.maintenance, maxEntries: 5 } },
    });
  });

  it("may name the tenant's own secrets, and escape what only looks like one", () => {
    const config = {
      channels: { discord: { enabled: true, token: { source: "env", provider: "default", id: "DISCORD_TOKEN" } } },
      messages: { responsePrefix: "$${NOT_A_SECRET} ${DISCORD_TOKEN}" },
    };
    const { configFile } = plannedTenant(plan([tenant({ env: ["DISCORD_TOKEN"], config })], { secrets: { acme: ["DISCORD_TOKEN"] } }));
    expect(JSON.parse(configFile.text)).toMatchObject(config);
  });
});
