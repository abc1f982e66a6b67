import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";

import { Gateway } from "../../../components/index.ts";
import { canary, recordFleet } from "../../support/record-fleet.ts";
import { plan, plannedTenant, tenant } from "../../support/fleet.ts";
import { findResource, record, tokenOf } from "../../support/record.ts";

const names = ["NOTION_API_KEY", "TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"];
const list = [
  tenant({ host: "server", env: ["NOTION_API_KEY"], telegram: { mode: "webhook" }, expose: ["hooks", "controlUi"] }),
  tenant({ id: "globex", port: 18802, status: "suspended" }),
];
const over = { secrets: { acme: names } };

/** Whatever must never be readable. */
const hidden = [...names.map((name) => canary("acme", name)), ...["acme", "globex"].flatMap((id) => [tokenOf(`${id}-token`), tokenOf(`${id}-hooks-token`)])];

describe("secrets", () => {
  it("are sealed in every input of every resource", async () => {
    const { resources } = await recordFleet(list, over);
    const clear = JSON.stringify(resources.map(({ inputs }) => inputs));
    // Both values reach the container, so their absence below means something.
    for (const value of [canary("acme", "NOTION_API_KEY"), tokenOf("acme-token"), tokenOf("acme-hooks-token")]) expect(clear).toContain(value);

    for (const { type, name, sealed } of resources) {
      const leaked = hidden.filter((value) => JSON.stringify(sealed).includes(value));
      expect(leaked, `${type} ${name}`).toEqual([]);
    }
  });

  it("are in no file, label, command or name, sealed or not", async () => {
    const { resources } = await recordFleet(list, over);
    for (const { type, name, inputs } of resources.filter((each) => each.type.startsWith("docker:"))) {
      const text = JSON.stringify({ ...inputs, envs: [] });
      expect(
        hidden.filter((value) => text.includes(value)),
        `${type} ${name}`,
      ).toEqual([]);
    }
  });

  it("reach only the tenant they belong to", async () => {
    const secrets = { acme: ["NOTION_API_KEY"], globex: ["NOTION_API_KEY"] };
    const both = [tenant({ env: ["NOTION_API_KEY"] }), tenant({ id: "globex", port: 18802, env: ["NOTION_API_KEY"] })];
    const { resources } = await recordFleet(both, { secrets });
    const { inputs } = findResource(resources, "Container", "acme-gateway");
    expect(inputs["envs"]).toContain(`NOTION_API_KEY=${canary("acme", "NOTION_API_KEY")}`);
    expect(JSON.stringify(inputs)).not.toContain("globex");
  });

  it("that a tenant did not declare do not reach it", async () => {
    const { resources } = await recordFleet([tenant()], { secrets: { acme: ["NOTION_API_KEY"] } });
    expect(JSON.stringify(findResource(resources, "Container", "acme-gateway").inputs)).not.toContain("NOTION_API_KEY");
  });

  it("stay secret in the outputs, which name both tokens of every tenant", async () => {
    const { value } = await recordFleet(list, over);
    expect(await pulumi.isSecret(value.tokens)).toBe(true);
    const tokens = await new Promise((resolve) => value.tokens.apply(resolve));
    expect(tokens).toEqual({
      acme: { gateway: tokenOf("acme-token"), hooks: tokenOf("acme-hooks-token") },
      globex: { gateway: tokenOf("globex-token"), hooks: tokenOf("globex-hooks-token") },
    });
  });

  it("stay secret where one gateway hands its tokens on", async () => {
    const args = {
      stack: "test",
      tenant: plannedTenant(plan([tenant()])),
      image: "image",
      skills: "skills",
      secrets: {},
      startTimeoutSeconds: 60,
      connection: { endpoint: undefined },
    };
    const { value } = await record(() => new Gateway("acme", args));
    expect([await pulumi.isSecret(value.token), await pulumi.isSecret(value.hooksToken)]).toEqual([true, true]);
  });

  it("stay secret when the container is read back from Docker", async () => {
    const { resources } = await recordFleet(list, over);
    expect(findResource(resources, "Container", "acme-gateway").options.additionalSecretOutputs).toContain("envs");
  });

  it("are made of at least 32 random bytes", async () => {
    const { resources } = await recordFleet([tenant()]);
    const passwords = resources.filter(({ type }) => type === "random:index/randomPassword:RandomPassword");
    expect(passwords.map(({ name }) => name).toSorted()).toEqual(["acme-hooks-token", "acme-token"]);
    for (const { inputs } of passwords) {
      // Letters and digits, 62 of them.
      expect(inputs["special"]).toBe(false);
      expect((inputs["length"] as number) * Math.log2(62)).toBeGreaterThanOrEqual(256);
    }
  });
});
