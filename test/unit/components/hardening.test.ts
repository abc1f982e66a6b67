import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { PlannedTenant } from "../../../plan/host.ts";
import { canary, recordFleet } from "../../support/record-fleet.ts";
import { roomy, secretsFor, tenantLists } from "../../support/arbitraries.ts";
import { findResource, tokenOf } from "../../support/record.ts";
import { plan, plannedTenant, tenant, tenantsOf } from "../../support/fleet.ts";

const STATE = "/home/node/.openclaw";

/** Everything that a gateway's container is made with. Whatever is not here is not said: no privilege, no device, no capability, no other network. */
function profileOf({ id, names, limits, port, webhookPort, authored }: PlannedTenant, host: string): Record<string, unknown> {
  return {
    name: names.container,
    hostname: id,
    image: expect.stringMatching(/^id of openclaw\/openclaw:2026\.9\.6@sha256:/) as string,
    command: ["node", "openclaw.mjs", "gateway", "--bind", "lan", "--port", "18789"],
    user: "1000:1000",
    init: true,
    readOnly: true,
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges"],
    memory: limits.memoryMb,
    memorySwap: limits.memoryMb,
    cpus: expect.toSatisfy((cpus: string) => Number(cpus) === limits.cpus, `the CPUs of the plan, ${limits.cpus}`) as string,
    tmpfs: { "/tmp": "rw,nosuid,nodev,size=512m,mode=1777" },
    restart: "unless-stopped",
    logDriver: "local",
    logOpts: { "max-file": "3", "max-size": "10m" },
    healthcheck: { tests: ["CMD", "curl", "-fsS", "http://127.0.0.1:18789/healthz"], interval: "15s", timeout: "10s", retries: 3, startPeriod: "1m30s" },
    wait: true,
    waitTimeout: 180,
    destroyGraceSeconds: 60,
    stopTimeout: 60,
    networksAdvanced: [{ name: names.network }],
    ports: [
      { internal: 18789, external: port, ip: "127.0.0.1" },
      ...(webhookPort === undefined ? [] : [{ internal: 8787, external: webhookPort, ip: "127.0.0.1" }]),
    ],
    volumes: [
      { volumeName: names.stateVolume, containerPath: STATE },
      { volumeName: names.workspaceVolume, containerPath: `${STATE}/workspace` },
      { volumeName: names.configVolume, containerPath: "/etc/openclaw", readOnly: true },
      { volumeName: `openclaw-test.${host}.skills`, containerPath: "/opt/openclaw-skills", readOnly: true },
      ...(authored === "none"
        ? []
        : [{ volumeName: `openclaw-test.${host}.authored`, containerPath: "/opt/openclaw-authored", readOnly: authored === "read" }]),
    ],
    labels: [
      { label: "openclaw-tenants.stack", value: "test" },
      { label: "openclaw-tenants.role", value: "gateway" },
      { label: "openclaw-tenants.tenant", value: id },
      { label: "openclaw-tenants.pids", value: `${limits.pids}` },
    ],
    envs: expect.any(Array) as string[],
  };
}

/** What the container's environment must be: these and the tenant's own secrets, nothing else. */
function environmentOf({ id, limits, configFile, secrets }: PlannedTenant): string[] {
  return [
    "CHOKIDAR_INTERVAL=1000",
    "CHOKIDAR_USEPOLLING=true",
    "HOME=/home/node",
    "MALLOC_ARENA_MAX=2",
    `NODE_OPTIONS=--max-old-space-size=${limits.heapMb} --max-semi-space-size=4`,
    `OPENCLAW_CONFIG_PATH=/etc/openclaw/${configFile.file}`,
    "OPENCLAW_CONFIG_READONLY=1",
    "OPENCLAW_DISABLE_BONJOUR=1",
    "OPENCLAW_HOME=/home/node",
    "OPENCLAW_NO_AUTO_UPDATE=1",
    `OPENCLAW_STATE_DIR=${STATE}`,
    `XDG_CACHE_HOME=${STATE}/cache`,
    `OPENCLAW_GATEWAY_TOKEN=${tokenOf(`${id}-token`)}`,
    `OPENCLAW_HOOKS_TOKEN=${tokenOf(`${id}-hooks-token`)}`,
    ...secrets.map((name) => `${name}=${canary(id, name)}`),
  ].toSorted();
}

describe("a gateway's container", () => {
  it("is hardened to the letter", async () => {
    const planned = plannedTenant(plan([tenant()]));
    const { resources } = await recordFleet([tenant()]);
    const { inputs, options } = findResource(resources, "Container", "acme-gateway");

    expect(inputs).toEqual(profileOf(planned, "laptop"));
    expect((inputs["envs"] as string[]).toSorted()).toEqual(environmentOf(planned));
    // The provider reports these as updated in place and does not apply them.
    expect(options.replaceOnChanges.toSorted()).toEqual(["healthcheck", "init", "mounts", "tmpfs"]);
    expect(options).toMatchObject({ deleteBeforeReplace: true, afterCreate: ["acme-pids-limit"], onError: ["acme-explain"] });
  });

  it("is made no weaker by anything that the schema accepts", async () => {
    await fc.assert(
      fc.asyncProperty(tenantLists, async (list) => {
        const over = { settings: roomy, secrets: secretsFor(list) };
        const fleet = plan(list, over);
        const { resources } = await recordFleet(list, over);
        const gateways = resources.filter(({ name, type }) => name.endsWith("-gateway") && type === "docker:index/container:Container");
        expect(gateways).toHaveLength(tenantsOf(fleet).filter(({ status }) => status === "active").length);
        for (const host of fleet.hosts) {
          for (const planned of host.tenants.filter(({ status }) => status === "active")) {
            const { inputs, options } = findResource(resources, "Container", `${planned.id}-gateway`);
            expect(inputs).toEqual(profileOf(planned, host.id));
            expect((inputs["envs"] as string[]).toSorted()).toEqual(environmentOf(planned));
            expect(options.afterCreate).toEqual([`${planned.id}-pids-limit`]);
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  it("has a network of its own, a bridge with the subnet of the plan", async () => {
    const { resources } = await recordFleet([tenant(), tenant({ id: "globex", port: 18802 })]);
    const networks = resources.filter(({ type }) => type === "docker:index/network:Network");
    expect(networks.map(({ inputs }) => [inputs["name"], inputs["driver"], inputs["ipamConfigs"]])).toEqual(
      expect.arrayContaining([
        ["openclaw-test-acme", "bridge", [{ subnet: "10.214.0.0/28", gateway: "10.214.0.1" }]],
        ["openclaw-test-globex", "bridge", [{ subnet: "10.214.0.16/28", gateway: "10.214.0.17" }]],
      ]),
    );
    expect(networks).toHaveLength(2);
  });

  it("starts after its config is written and its data is checked", async () => {
    const { resources } = await recordFleet([tenant()]);
    const { dependencies } = findResource(resources, "Container", "acme-gateway").options;
    for (const role of ["prepare", "config"]) expect(dependencies).toContainEqual(expect.stringMatching(new RegExp(`Container::acme-${role}$`)));
  });
});
