import { describe, expect, it } from "vitest";

import { UserError } from "../../lib/errors.ts";
import { fleetInput, mistakesOf, plan, settings, settingsInput, tenant } from "../support/fleet.ts";
import { planFleet } from "../../plan/fleet.ts";
import { parseSettings } from "../../plan/settings.ts";

describe("the mistakes of a list", () => {
  it("are told in one run, whatever kind they are of", () => {
    const list = [
      tenant({ port: 18789 }),
      tenant({ id: "Globex" }),
      tenant({ id: "initech", port: 18802, host: "moon" }),
      tenant({ id: "umbrella", port: 18802, env: ["NOTION_API_KEY"], config: { gateway: {}, agents: { defaults: { workspace: "/" } } } }),
      tenant({ id: "hooli", port: 18803, model: { primary: "openai/gpt-5" }, skills: { authored: true, shared: ["nope"] } }),
      tenant({ id: "stark", port: 18804, image: "openclaw/openclaw:latest" }),
      { ...tenant({ id: "wayne", port: 18805 }), colour: "black" },
      tenant({ id: "wonka", port: 18806, limits: { cpus: 64 } }),
    ];
    const lines = mistakesOf(() => plan(list, { past: { tenants: {}, retained: { wonka: "laptop" } } }));
    const found = [
      'tenant "acme", field port 18789',
      'tenant "Globex", field id "Globex"',
      'tenant "stark", field image "openclaw/openclaw:latest": the tag',
      'tenant "stark", field image "openclaw/openclaw:latest": it is not pinned',
      'tenant "wayne", field colour: no such field',
      'port 18802 of tenant "umbrella" belongs to tenant "initech"; the next free one is 18801',
      'tenant "initech", field host "moon"',
      'tenant "umbrella", field config.gateway',
      'tenant "umbrella", field config.agents.defaults.workspace',
      'tenant "umbrella" needs the secret NOTION_API_KEY',
      'tenant "hooli", field model "openai/gpt-5"',
      'tenant "wonka", field limits.cpus 64',
      'data of a removed tenant "wonka"',
      'tenant "hooli", field skills.authored',
      'tenant "hooli", field skills.shared "nope"',
    ];
    expect(lines).toEqual(found.map((start) => expect.stringContaining(start) as string));
  });

  it("are counted, one line each, under the name of the stack", () => {
    expect(() => plan([tenant({ port: 1 })])).toThrow(/^the tenants list of stack "test" has 1 mistake; nothing was changed:\n {2}- [^\n]+$/);
    expect(() => plan([tenant({ port: 1 }), tenant({ id: "B" })])).toThrow(/has 2 mistakes; nothing was changed:(\n {2}- [^\n]+){2}$/);
  });

  it("are the operator's, so they carry no stack into the output", () => {
    expect(() => planFleet(fleetInput([tenant({ port: 1 })]))).toThrow(UserError);
  });

  it("do not follow from each other: an entry's wrong field accuses no other field", () => {
    const secrets = { acme: ["NOTION_API_KEY"] };
    const config = { messages: { responsePrefix: "${NOTION_API_KEY}" } };
    expect(mistakesOf(() => plan([tenant({ env: ["NOTION_API_KEY", "lower"], config })], { secrets }))).toHaveLength(1);
    // Without its own figures it would count as standard, and the host as full.
    const tight = settings({ hosts: { laptop: { kind: "docker", memoryMb: 2560, cpus: 2 } } });
    expect(mistakesOf(() => plan([{ ...tenant(), size: "tiny" }], { settings: tight }))).toHaveLength(1);
  });

  it("never quote what somebody wrote where a secret's name belongs, unless it is a name", () => {
    const [key, ...others] = ["sk-canary-0123456789", "1234567:canary", "canary0123456789canary0123456789canary"];
    const provider = { baseUrl: "https://llm.example.com", api: "openai-completions", apiKey: key, models: [] };
    const list = [{ ...tenant(), env: [key, ...others, "lower_case"], model: { primary: "house/small", providers: { house: provider } } }];
    const lines = mistakesOf(() => plan(list));
    expect(lines.filter((line) => line.includes("canary"))).toEqual([]);
    expect(lines.map((line) => line.split(":")[0])).toEqual(
      ["model.providers.house.apiKey", "model.providers.house.models []", "env[0]", "env[1]", "env[2]", 'env[3] "lower_case"'].map(
        (field) => `tenant "acme", field ${field}`,
      ),
    );
  });

  it("in settings are told in one run as well", () => {
    const bad = { ...settingsInput({ domain: "no domain", image: "claw:latest", startTimeoutSeconds: 1 }), speed: 9 };
    const lines = mistakesOf(() => parseSettings(bad, "Pulumi.test.yaml"));
    expect(lines.map((line) => line.split(" ")[1])).toEqual(["domain", "image", "image", "startTimeoutSeconds", "speed:"]);
    expect(() => parseSettings(bad, "Pulumi.test.yaml")).toThrow("openclaw-tenants:settings in Pulumi.test.yaml has 5 mistakes");
  });

  it("in settings that are no object are told without a crash", () => {
    expect(mistakesOf(() => parseSettings(undefined, "Pulumi.test.yaml"))).toEqual(["value: missing"]);
  });

  it("tell no more than the start of what could be a credential, in whatever field somebody pasted it", () => {
    const canary = "Canary0123456789abcdefghijklmnop";
    const lines = [
      ...mistakesOf(() =>
        settings({ dns: { zoneId: canary }, otlpEndpoint: `otlp.example.com/v1?api-key=${canary}`, image: `ghcr.io/ann:${canary}@sha256:0` }),
      ),
      ...mistakesOf(() => plan([tenant({ model: { primary: `x-${canary}` } })])),
      ...mistakesOf(() => settings({ hosts: { laptop: { kind: "docker", memoryMb: 8192, cpus: 4, endpoint: "deploy:hunter2@203.0.113.10" } } })),
    ];
    expect(lines.length).toBeGreaterThanOrEqual(5);
    expect(lines.join("\n")).not.toMatch(/anary0123|hunter2/);
    expect(lines.join("\n")).toContain('field dns.zoneId "Cana…"');
  });
});
