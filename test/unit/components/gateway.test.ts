import { describe, expect, it } from "vitest";

import { plan, plannedTenant, tenant } from "../../support/fleet.ts";
import { recordFleet } from "../../support/record-fleet.ts";
import { findResource, type Registered } from "../../support/record.ts";

/** Resources that belong to one tenant, `type name`. */
function ownedBy(id: string, resources: readonly Registered[]): string[] {
  return resources
    .filter(({ options }) => options.parent.endsWith(`Gateway::${id}`))
    .map(({ type, name }) => `${type.split(":").at(-1) ?? ""} ${name}`)
    .toSorted();
}

const seed = [
  { path: "USER.md", contentBase64: btoa("who you help"), isExecutable: false },
  { path: "bin/greet", contentBase64: btoa("#!/bin/sh"), isExecutable: true },
];

describe("a tenant", () => {
  it("is a network, volumes, jobs and a gateway, all its own", async () => {
    const { resources } = await recordFleet([tenant()]);
    expect(ownedBy("acme", resources)).toEqual([
      "Container acme-config",
      "Container acme-gateway",
      "Container acme-prepare",
      "Network acme-network",
      "RandomPassword acme-hooks-token",
      "RandomPassword acme-token",
      "RandomUuid acme-owner",
      "Volume acme-config",
      "Volume acme-state",
      "Volume acme-workspace",
    ]);
  });

  it("keeps only data, tokens and owner while it is suspended", async () => {
    const { resources } = await recordFleet([tenant({ status: "suspended" })]);
    expect(ownedBy("acme", resources)).toEqual([
      "RandomPassword acme-hooks-token",
      "RandomPassword acme-token",
      "RandomUuid acme-owner",
      "Volume acme-state",
      "Volume acme-workspace",
    ]);
  });

  it("leaves its data behind when it goes, and nothing else", async () => {
    const { resources } = await recordFleet([tenant()]);
    const kept = resources.filter(({ options }) => options.parent.endsWith("Gateway::acme") && options.retainOnDelete);
    expect(kept.map(({ name }) => name).toSorted()).toEqual(["acme-state", "acme-workspace"]);
  });

  it("gets its config as a file in a volume, from a container that never runs", async () => {
    const { configFile } = plannedTenant(plan([tenant()]));
    const { resources } = await recordFleet([tenant()]);
    expect(findResource(resources, "Container", "acme-config").inputs).toMatchObject({
      start: false,
      mustRun: false,
      networkMode: "none",
      volumes: [{ volumeName: "openclaw-test-acme.config", containerPath: "/etc/openclaw" }],
      uploads: [{ file: `/etc/openclaw/${configFile.file}`, content: configFile.text }],
    });
  });

  it("has its data checked by a job without network, in the name of its own random id", async () => {
    const { resources } = await recordFleet([tenant({ adopt: true })], { past: { tenants: {}, retained: { acme: "laptop" } } });
    const { inputs } = findResource(resources, "Container", "acme-prepare");
    expect(inputs).toMatchObject({
      networkMode: "none",
      securityOpts: ["no-new-privileges"],
      capabilities: { drops: ["ALL"], adds: ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"] },
      envs: ["OWNER=uuid-of-acme-owner", "ADOPT=true", "RUN_AS=1000"],
      attach: true,
      logs: true,
      mustRun: false,
    });
    expect(inputs["volumes"]).toEqual([
      { volumeName: "openclaw-test-acme.state", containerPath: "/data/state" },
      { volumeName: "openclaw-test-acme.workspace", containerPath: "/data/workspace" },
    ]);
  });

  it("brings its seed files to that job, modes kept", async () => {
    const { resources } = await recordFleet([tenant()], { seeds: { acme: seed, globex: [] } });
    const uploads = findResource(resources, "Container", "acme-prepare").inputs["uploads"] as { file: string }[];
    expect(uploads.filter(({ file }) => file.startsWith("/seed/"))).toEqual([
      { file: "/seed/USER.md", contentBase64: btoa("who you help"), executable: false },
      { file: "/seed/bin/greet", contentBase64: btoa("#!/bin/sh"), executable: true },
    ]);
  });

  it("writes the authored skills if it is the author, reads them if it asks, and else sees nothing of them", async () => {
    const { resources } = await recordFleet([
      tenant({ id: "house", skills: { author: true } }),
      tenant({ id: "reader", port: 18802, skills: { authored: true } }),
      tenant({ id: "plain", port: 18803 }),
    ]);
    const mountOf = (id: string): unknown =>
      (findResource(resources, "Container", `${id}-gateway`).inputs["volumes"] as { containerPath: string }[]).find(
        ({ containerPath }) => containerPath === "/opt/openclaw-authored",
      );
    expect(mountOf("house")).toMatchObject({ volumeName: "openclaw-test.laptop.authored", readOnly: false });
    expect(mountOf("reader")).toMatchObject({ volumeName: "openclaw-test.laptop.authored", readOnly: true });
    expect(mountOf("plain")).toBeUndefined();
    expect(findResource(resources, "Volume", "laptop-authored").options.retainOnDelete).toBe(true);
  });

  it("runs the image of its own entry when it names one", async () => {
    const canaryImage = `openclaw/openclaw:2026.9.7@sha256:${"d".repeat(64)}`;
    const { resources } = await recordFleet([tenant({ image: canaryImage }), tenant({ id: "globex", port: 18802 })]);
    expect(findResource(resources, "Container", "acme-gateway").inputs["image"]).toBe(`id of ${canaryImage}`);
    expect(findResource(resources, "Container", "globex-gateway").inputs["image"]).not.toBe(`id of ${canaryImage}`);
    expect(resources.filter(({ type }) => type === "docker:index/remoteImage:RemoteImage").map(({ inputs }) => inputs["name"])).toContain(canaryImage);
  });
});
