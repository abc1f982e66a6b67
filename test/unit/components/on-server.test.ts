import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { makeDirectories } from "../../../components/directories.ts";
import { strictOptions } from "../../../lib/ssh.ts";
import { directoriesScript } from "../../../templates/directories.ts";
import { dockerHost, hetznerHost, hetznerSettings, running, tenant } from "../../support/fleet.ts";
import { recordFleet } from "../../support/record-fleet.ts";
import { failureOf, findResource, publicKeyOf, type Registered } from "../../support/record.ts";

const author = tenant({ id: "house", port: 18802, host: "host-1", skills: { author: true } });
/** Two tenants on a server and one on a machine of the operator's own. */
const list = [tenant({ host: "host-1" }), author, tenant({ id: "globex", port: 18803, host: "laptop" })];
const hosts = { "host-1": hetznerHost({ protected: false }), laptop: dockerHost() } as const;
const over = { settings: hetznerSettings({ hosts }) };

const isDocker = ({ type }: Registered): boolean => type.startsWith("docker:");
const isOnServer = ({ options }: Registered): boolean => options.provider.includes("::host-1-docker::");
const server = expect.stringMatching(/Server::host-1-server$/) as string;
const attachment = expect.stringMatching(/VolumeAttachment::host-1-data$/) as string;

beforeEach(() => {
  vi.spyOn(pulumi.log, "warn").mockResolvedValue();
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe("what Docker has on a server", () => {
  it("goes unasked when the server goes, and comes again with a new one, after the old is gone", async () => {
    const { resources } = await recordFleet(list, over);
    const tied = resources.filter((each) => isDocker(each) && isOnServer(each));
    expect(new Set(tied.map(({ type }) => type.split(":").at(-1)))).toEqual(new Set(["Container", "Network", "RemoteImage", "Volume"]));
    expect(tied.length).toBeGreaterThan(20);
    for (const { type, name, options } of tied)
      expect(options, `${type} ${name}`).toMatchObject({ deletedWith: attachment, replaceWith: [server], deleteBeforeReplace: true });
  });

  it("is made anew on the host that a tenant moves to, for to the engine another Docker of the same kind is no change", async () => {
    const { resources } = await recordFleet(list, over);
    const docker = resources.filter(isDocker);
    expect(docker.length).toBeGreaterThan(30);
    for (const each of docker) expect(each.options.replacementTrigger, each.name).toBe(isOnServer(each) ? "host-1" : "laptop");
    expect(resources.filter((each) => !isDocker(each) && each.options.replacementTrigger !== undefined)).toEqual([]);
  });

  it("is all that does: tokens, names, certificates and data are no server's", async () => {
    const { resources } = await recordFleet(list, over);
    const others = resources.filter((each) => !(isDocker(each) && isOnServer(each)));
    expect(others.filter(({ options }) => options.replaceWith.length > 0).map(({ name }) => name)).toEqual([]);
    const gone = others.filter(({ options }) => options.deletedWith !== "").map(({ type, name }) => `${type.split(":").at(-1) ?? ""} ${name}`);
    expect(gone.toSorted()).toEqual(["Command host-1-data-size", "Command host-1-operators", "Command host-1-ready", "VolumeAttachment host-1-data"]);
    for (const kind of ["random:", "cloudflare:", "tls:", "hcloud:index/volume:", "hcloud:index/primaryIp:"])
      expect(
        others.some(({ type }) => type.startsWith(kind)),
        kind,
      ).toBe(true);
    // The machine of the operator's own has no server that could go.
    expect(others.filter(isDocker).every(({ options }) => options.provider.includes("::laptop-docker::"))).toBe(true);
  });
});

describe("the way to a server's Docker", () => {
  it("leads through ssh that believes one host key, and no file", async () => {
    const { resources } = await recordFleet(list, over);
    expect(findResource(resources, "docker", "host-1-docker").inputs).toMatchObject({
      host: "ssh://deploy@ipv4 of host-1-ipv4",
      sshOpts: JSON.stringify(strictOptions(publicKeyOf("host-1-host-key"))),
    });
  });

  it("is unknown until the server is ready, so that nothing is tried before", async () => {
    const { resources } = await recordFleet(list, over, { isPreview: true, over: { "command:remote:Command": () => ({}) } });
    // Source: @pulumi/pulumi, runtime/rpc.
    expect(findResource(resources, "docker", "host-1-docker").inputs["host"]).toBe("04da6b54-80e4-46f7-96ec-b56ff0331ba9");
  });

  it("is known in a preview once it is, and asks nothing of it", async () => {
    const { resources } = await recordFleet(list, { ...over, ...running({ isProtected: false }) }, { isPreview: true });
    expect(findResource(resources, "docker", "host-1-docker").inputs["host"]).toBe("ssh://deploy@ipv4 of host-1-ipv4");
  });
});

describe("what a tenant owns on a server", () => {
  it("is in directories of the data volume, which outlive the volumes that are bound to them", async () => {
    const { resources } = await recordFleet(list, over);
    for (const role of ["state", "workspace"]) {
      const { inputs, options } = findResource(resources, "Volume", `acme-${role}`);
      expect(inputs).toMatchObject({ driver: "local", driverOpts: { type: "none", o: "bind", device: `/srv/openclaw/tenants/acme/${role}` } });
      expect(options.retainOnDelete).toBe(false);
    }
    for (const [name, directory] of [
      ["host-1-authored", "authored"],
      ["host-1-caddy-data", "caddy"],
    ] as const) {
      const { inputs, options } = findResource(resources, "Volume", name);
      expect(inputs["driverOpts"], name).toEqual({ type: "none", o: "bind", device: `/srv/openclaw/${directory}` });
      expect(options.retainOnDelete, name).toBe(false);
    }
  });

  it("is in Docker's own volumes where there is no data volume, and these are kept", async () => {
    const { resources } = await recordFleet(list, over);
    for (const role of ["state", "workspace"]) {
      const { inputs, options } = findResource(resources, "Volume", `globex-${role}`);
      expect(inputs).not.toHaveProperty("driverOpts");
      expect(options.retainOnDelete).toBe(true);
    }
    expect(resources.filter(({ name }) => /^(globex|laptop)-directories$/.test(name))).toEqual([]);
  });

  it("has its directories made, and the data volume looked for, before anything uses them", async () => {
    const { resources } = await recordFleet(list, over);
    const { inputs } = findResource(resources, "Container", "acme-directories");
    expect(inputs).toMatchObject({
      name: "openclaw-test-acme.directories",
      command: ["sh", "/directories.sh", "1000:tenants/acme", "1000:tenants/acme/state", "1000:tenants/acme/workspace"],
      user: "0:0",
      networkMode: "none",
      securityOpts: ["no-new-privileges"],
      capabilities: { drops: ["ALL"], adds: ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"] },
      envs: ["MOUNT=openclaw"],
      uploads: [{ file: "/directories.sh", content: directoriesScript }],
      volumes: [{ hostPath: "/srv", containerPath: "/outside" }],
      attach: true,
      mustRun: false,
    });
    expect(findResource(resources, "Container", "host-1-directories").inputs["command"]).toEqual(["sh", "/directories.sh", "1000:authored", "0:caddy"]);
    const users = [
      ["acme-prepare", "acme-directories"],
      ["acme-gateway", "acme-prepare"],
      ["host-1-edge", "host-1-directories"],
    ] as const;
    for (const [user, job] of users)
      expect(findResource(resources, "Container", user).options.dependencies, user).toContainEqual(expect.stringMatching(new RegExp(`Container::${job}$`)));
    expect(findResource(resources, "Volume", "host-1-authored").options.dependencies).toContainEqual(expect.stringMatching(/Container::host-1-directories$/));
  });

  it("stops the update when the data volume is not there, with the way out", async () => {
    const args = { name: "directories", image: "image", owner: 'tenant "acme"', directories: [], labels: [] };
    const error = await failureOf(() => makeDirectories("acme-directories", args, {}), {
      over: { "docker:index/container:Container": () => ({ exitCode: 4, containerLogs: "the data volume is not mounted\n" }) },
    });
    expect((error as Error).message).toContain(
      'tenant "acme" has no place for its data: the data volume is not mounted; `sudo /usr/local/sbin/openclaw-data` on the host mounts it or says why not\n',
    );
  });
});
