import { describe, expect, it } from "vitest";

import { plan, plannedHost, settings, tenant } from "../../support/fleet.ts";
import { recordFleet } from "../../support/record-fleet.ts";
import { findResource } from "../../support/record.ts";

const desktop = settings({ hosts: { laptop: { kind: "docker", memoryMb: 8192, cpus: 4, edge: { network: "bridge", httpPort: 8081 } } } });

describe("a host's Caddy", () => {
  it("is hardened, starts from the routes it last accepted, and may bind low ports", async () => {
    const { resources } = await recordFleet([tenant()]);
    const { inputs, options } = findResource(resources, "Container", "laptop-edge");
    expect(inputs).toMatchObject({
      name: "openclaw-test.laptop.edge",
      command: ["caddy", "run", "--resume"],
      init: true,
      readOnly: true,
      securityOpts: ["no-new-privileges"],
      capabilities: { drops: ["ALL"], adds: ["CAP_NET_BIND_SERVICE"] },
      memory: 256,
      memorySwap: 256,
      restart: "unless-stopped",
      logDriver: "local",
      logOpts: { "max-file": "3", "max-size": "10m" },
      networkMode: "host",
    });
    expect(inputs["healthcheck"]).toMatchObject({ tests: expect.arrayContaining(["Host: edge-health", "http://127.0.0.1:8080/"]) as string[] });
    expect(inputs).not.toHaveProperty("privileged");
    expect(options).toMatchObject({ deleteBeforeReplace: true, afterCreate: ["laptop.edge-pids-limit"] });
  });

  it("is the same container whatever tenants there are", async () => {
    const one = await recordFleet([tenant()]);
    const two = await recordFleet([tenant({ expose: ["api"] }), tenant({ id: "globex", port: 18802 })]);
    expect(findResource(two.resources, "Container", "laptop-edge").inputs).toEqual(findResource(one.resources, "Container", "laptop-edge").inputs);
  });

  it("is given the plan's routes by a job of its own, without network", async () => {
    const { resources } = await recordFleet([tenant()]);
    const { inputs, options } = findResource(resources, "Container", "laptop-load");
    expect(inputs).toMatchObject({
      attach: true,
      logs: true,
      mustRun: false,
      networkMode: "none",
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
    });
    expect(inputs["uploads"]).toEqual([{ file: "/routes/Caddyfile", content: plannedHost(plan([tenant()])).routes }]);
    // A new Caddy asks for its routes again.
    expect(inputs["labels"]).toContainEqual({ label: "openclaw-tenants.edge", value: "laptop-edge-id" });
    expect(options.deleteBeforeReplace).toBe(true);
  });

  it("waits for no tenant", async () => {
    const { resources } = await recordFleet([tenant()]);
    for (const role of ["edge", "load"])
      expect(findResource(resources, "Container", `laptop-${role}`).options.dependencies.filter((urn) => urn.includes("Gateway"))).toEqual([]);
  });

  it("keeps its certificates when the world may connect, and nothing else", async () => {
    const { resources } = await recordFleet([tenant()]);
    const kept = resources.filter(({ type, options }) => type === "docker:index/volume:Volume" && options.retainOnDelete && options.parent.includes("Edge"));
    expect(kept.map(({ name }) => name)).toEqual(["server-caddy-data"]);
  });

  it("sits on a bridge where Docker has no host network, and publishes its port on loopback only", async () => {
    const { resources } = await recordFleet([tenant()], { settings: desktop });
    const { inputs } = findResource(resources, "Container", "laptop-edge");
    expect(inputs).not.toHaveProperty("networkMode");
    expect(inputs).toMatchObject({
      hosts: [{ host: "host.docker.internal", ip: "host-gateway" }],
      networksAdvanced: [{ name: "openclaw-test.laptop.edge" }],
      ports: [{ internal: 8081, external: 8081, ip: "127.0.0.1" }],
    });
    expect(plannedHost(plan([tenant()], { settings: desktop })).routes).toContain("import gateway host.docker.internal:18801");
  });
});
