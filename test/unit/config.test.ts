import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";

import { readSecrets, readSettings } from "../../stack/config.ts";
import { settingsInput } from "../support/fleet.ts";
import { record } from "../support/record.ts";

const KEY = "openclaw-tenants:secrets";

const root = mkdtempSync(join(tmpdir(), "openclaw-tenants-config-"));
const read = (): ReturnType<typeof readSecrets> => readSecrets(root);

function configure(secrets: unknown, inFile: unknown = {}): void {
  pulumi.runtime.setConfig(KEY, JSON.stringify(secrets));
  writeFileSync(join(root, "Pulumi.test.yaml"), stringify({ config: { [KEY]: inFile } }));
}

beforeEach(async () => {
  await record(() => undefined);
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

afterEach(() => {
  pulumi.runtime.setAllConfig({});
});

describe("a stack's secrets", () => {
  it("are names for the plan and secret values for the containers", async () => {
    configure({ acme: { NOTION_API_KEY: "canary" } });
    const { names, values } = read();
    expect(names).toEqual({ acme: ["NOTION_API_KEY"] });
    expect(await pulumi.isSecret(values)).toBe(true);
    expect(await new Promise((resolve) => values.apply(resolve))).toEqual({ acme: { NOTION_API_KEY: "canary" } });
  });

  it("are refused in plain text, without showing them", () => {
    configure({ acme: { NOTION_API_KEY: "canary", HUBSPOT_TOKEN: "hidden" } }, { acme: { NOTION_API_KEY: "canary", HUBSPOT_TOKEN: { secure: "v1:x" } } });
    expect(read).toThrow(`${KEY}.acme.NOTION_API_KEY in Pulumi.test.yaml stands there in plain text`);
    expect(read).not.toThrow("canary");
  });

  it("are refused by path alone when they are of the wrong shape", () => {
    configure({ acme: { NOTION_API_KEY: { canary: 1 } } });
    expect(read).toThrow("acme.NOTION_API_KEY");
    expect(read).not.toThrow("canary");
  });

  it("are refused without showing them when they are no object at all", () => {
    pulumi.runtime.setConfig("openclaw-tenants:secrets", "canary, not JSON");
    expect(read).toThrow("openclaw-tenants:secrets in Pulumi.");
    expect(read).not.toThrow("canary");
  });

  it("need not be there", () => {
    configure({});
    expect(read().names).toEqual({});
    pulumi.runtime.setAllConfig({});
    expect(read().names).toEqual({});
  });
});

describe("a stack's settings", () => {
  it("are read from its file and checked at once", () => {
    pulumi.runtime.setConfig("openclaw-tenants:settings", JSON.stringify(settingsInput()));
    expect(readSettings()).toMatchObject({
      domain: "example.com",
      subnetPool: "10.214.0.0/17",
      streamCloseDelaySeconds: 43_200,
      hosts: { laptop: { reserveMb: 1024, edge: { network: "host", public: false } } },
    });
    pulumi.runtime.setConfig("openclaw-tenants:settings", JSON.stringify(settingsInput({ domain: "no domain" })));
    expect(readSettings).toThrow("openclaw-tenants:settings in Pulumi.test.yaml has 1 mistake");
  });
});
