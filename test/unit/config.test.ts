import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { readSecrets, readSettings } from "../../stack/config.ts";
import { settingsInput } from "../support/fleet.ts";
import { record } from "../support/record.ts";

const KEY = "openclaw-tenants:secrets";

function configure(secrets: unknown, isSecret = true): void {
  pulumi.runtime.setConfig(KEY, JSON.stringify(secrets));
  vi.stubEnv("PULUMI_CONFIG_SECRET_KEYS", JSON.stringify(isSecret ? [KEY] : []));
}

beforeEach(async () => {
  await record(() => undefined);
});

afterEach(() => {
  pulumi.runtime.setAllConfig({});
  vi.unstubAllEnvs();
});

describe("a stack's secrets", () => {
  it("are names for the plan and secret values for the containers", async () => {
    configure({ acme: { NOTION_API_KEY: "canary" } });
    const { names, values } = readSecrets();
    expect(names).toEqual({ acme: ["NOTION_API_KEY"] });
    expect(await pulumi.isSecret(values)).toBe(true);
    expect(await new Promise((resolve) => values.apply(resolve))).toEqual({ acme: { NOTION_API_KEY: "canary" } });
  });

  it("are refused in plain text, without showing them", () => {
    configure({ acme: { NOTION_API_KEY: "canary" } }, false);
    expect(readSecrets).toThrow(`${KEY} in Pulumi.test.yaml stands there in plain text`);
  });

  it("are refused by path alone when they are of the wrong shape", () => {
    configure({ acme: { NOTION_API_KEY: { canary: 1 } } });
    expect(readSecrets).toThrow("acme.NOTION_API_KEY");
    expect(readSecrets).not.toThrow("canary");
  });

  it("are refused without showing them when they are no object at all", () => {
    pulumi.runtime.setConfig("openclaw-tenants:secrets", "canary, not JSON");
    expect(readSecrets).toThrow("openclaw-tenants:secrets in Pulumi.");
    expect(readSecrets).not.toThrow("canary");
  });

  it("need not be there", () => {
    configure({}, false);
    expect(readSecrets().names).toEqual({});
    pulumi.runtime.setAllConfig({});
    expect(readSecrets().names).toEqual({});
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
