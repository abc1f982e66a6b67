import { describe, expect, it } from "vitest";

import type { JsonObject } from "../../lib/json.ts";
import { HOT_PATHS, planConfigFile } from "../../plan/config-file.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { plan, plannedTenant, tenant } from "../support/fleet.ts";

type Change = [what: string, over: Partial<TenantInput>];

const fileOf = (over: Partial<TenantInput>): { file: string; text: string } =>
  plannedTenant(plan([tenant(over)], { secrets: { acme: ["TELEGRAM_BOT_TOKEN"] } })).configFile;
const bare = fileOf({ model: { primary: "anthropic/claude-sonnet-5" } });

const hot: Change[] = [
  ["another model of the same provider", { model: { primary: "anthropic/claude-opus-5" } }],
  ["another log level", { model: { primary: "anthropic/claude-sonnet-5" }, config: { logging: { level: "debug" } } }],
  ["session clean-up", { model: { primary: "anthropic/claude-sonnet-5" }, config: { session: { maintenance: { maxEntries: 7 } } } }],
];

const cold: Change[] = [
  ["an exposed Control UI", { model: { primary: "anthropic/claude-sonnet-5" }, expose: ["controlUi"] }],
  ["hooks", { model: { primary: "anthropic/claude-sonnet-5" }, expose: ["hooks"] }],
  ["a new channel", { model: { primary: "anthropic/claude-sonnet-5" }, telegram: {} }],
  ["another console style", { model: { primary: "anthropic/claude-sonnet-5" }, config: { logging: { consoleStyle: "pretty" } } }],
  ["a model of another provider", { model: { primary: "openrouter/auto" } }],
];

describe("a tenant's config file", () => {
  it.each(hot)("keeps its name for what a running gateway takes over: %s", (_, over) => {
    const changed = fileOf(over);
    expect(changed.text).not.toBe(bare.text);
    expect(changed.file).toBe(bare.file);
  });

  it.each(HOT_PATHS)("keeps its name for %s, whatever stands beside it", (path) => {
    const config = (value: number): JsonObject => path.split(".").reduceRight<JsonObject>((inner, key) => ({ [key]: inner, beside: 1 }), { value });
    expect(planConfigFile(config(1)).file).toBe(planConfigFile(config(2)).file);
    expect(planConfigFile(config(1)).file).not.toBe(planConfigFile({ ...config(1), beside: 2 }).file);
  });

  it.each(cold)("gets another name, and so another container, for what needs a restart: %s", (_, over) => {
    expect(fileOf(over).file).not.toBe(bare.file);
  });

  it("is named so that nothing else can lie there", () => {
    expect(bare.file).toMatch(/^openclaw-[0-9a-f]{12}\.json$/);
  });
});
