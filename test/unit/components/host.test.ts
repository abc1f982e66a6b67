import { describe, expect, it, vi } from "vitest";

import { fleetInput, library, plan, plannedHost, tenant } from "../../support/fleet.ts";
import { recordFleet } from "../../support/record-fleet.ts";
import { findResource } from "../../support/record.ts";

describe("a host", () => {
  it("is reached by one connection, which everything on it goes through", async () => {
    vi.stubEnv("DOCKER_HOST", "unix:///run/laptop.sock");
    const { resources } = await recordFleet([tenant(), tenant({ id: "globex", port: 18802, host: "server" })]);
    vi.unstubAllEnvs();
    expect(resources.filter(({ type }) => type === "pulumi:providers:docker").map(({ name, inputs }) => [name, inputs["host"]])).toEqual(
      expect.arrayContaining([
        ["laptop-docker", "unix:///run/laptop.sock"],
        ["server-docker", "ssh://root@server.example.com"],
      ]),
    );
    for (const { type, name, options } of resources.filter((each) => each.type.startsWith("docker:"))) {
      const host = /^(server|globex)/.test(name) ? "server" : "laptop";
      expect(options.provider, `${type} ${name}`).toContain(`${host}-docker`);
    }
  });

  it("pulls every image once and keeps it, so that a roll-back has it at once", async () => {
    const { resources } = await recordFleet([tenant(), tenant({ id: "globex", port: 18802 })]);
    const pulled = resources.filter(({ type, name }) => type === "docker:index/remoteImage:RemoteImage" && name.startsWith("laptop"));
    expect(pulled).toHaveLength(2);
    for (const { inputs } of pulled) expect(inputs).toMatchObject({ keepLocally: true, name: expect.stringMatching(/@sha256:/) as string });
  });

  it("holds the library once, under a path that names its content", async () => {
    const { resources } = await recordFleet([tenant()]);
    const { inputs } = findResource(resources, "Container", "laptop-skills");
    const { path } = plannedHost(plan([tenant()])).library;
    expect(inputs["uploads"]).toEqual(
      library.files.map((file) => ({ file: `${path}/${file.path}`, contentBase64: file.contentBase64, executable: file.isExecutable })),
    );
    expect(inputs).toMatchObject({ start: false, mustRun: false, networkMode: "none" });
  });

  it("shows a change of the library as a new path in every tenant's config, and so as a new container", () => {
    const changed = { ...library, files: library.files.map((file) => ({ ...file, contentBase64: btoa(`${atob(file.contentBase64)}\nMore.`) })) };
    const [before, after] = [plan([tenant()]), plan([tenant()], { ...fleetInput([]), tenants: [tenant()], library: changed })].map((fleet) =>
      plannedHost(fleet),
    );
    expect(after?.library.path).not.toBe(before?.library.path);
    expect(after?.tenants[0]?.configFile.text).toContain(after?.library.path);
    expect(after?.tenants[0]?.configFile.file).not.toBe(before?.tenants[0]?.configFile.file);
  });

  it("labels every container, network and volume with the stack, and a tenant's with the tenant", async () => {
    const { resources } = await recordFleet([tenant({ skills: { author: true } })]);
    const labelled = resources.filter(({ type }) => /:(Container|Network|Volume)$/.test(type));
    expect(labelled.length).toBeGreaterThan(15);
    for (const { name, inputs, options } of labelled) {
      const labels = inputs["labels"] as { label: string; value: string }[];
      expect(labels, name).toContainEqual({ label: "openclaw-tenants.stack", value: "test" });
      if (options.parent.endsWith("Gateway::acme")) expect(labels, name).toContainEqual({ label: "openclaw-tenants.tenant", value: "acme" });
    }
  });
});
