import { describe, expect, it } from "vitest";

import { planFaults } from "../../standin/faults.ts";
import type { Machines } from "../../standin/hcloud/machines.ts";
import type { Props } from "../../standin/provider.ts";
import { writeJson } from "../../standin/world.ts";
import { HTTPS, makeHost, newHetzner, of, refreshed, SERVER } from "./hetzner.ts";

const PROTECTED = { deleteProtection: true, rebuildProtection: true };

describe("a server at Hetzner", () => {
  it.each([
    [{ name: "oc_1" }, "must be a valid hostname]] (invalid_input"],
    [{ serverType: "cx34" }, "server type cx34 not found"],
    [{ image: "ubuntu-99.04" }, "image ubuntu-99.04 for architecture x86 not found"],
    [{ image: "centos-stream-9", serverType: "cax11" }, "image centos-stream-9 for architecture arm not found"],
    [{ location: "fsn9" }, 'unknown location "fsn9"]] (invalid_input'],
    [{ location: "ash" }, "unsupported location for server type (invalid_input"],
    [{ sshKeys: ["op"] }, "SSH key not found: op"],
    [{ firewallIds: [7] }, "firewall with ID '7' not found (not_found"],
    [{ publicNets: [{ ipv4: 7 }] }, "primary ip with ID '7' not found (not_found"],
    [{ placementGroupId: 7 }, "placement group with ID '7' not found (not_found"],
    [{ networks: [{ networkId: 7 }] }, "network with ID '7' not found (not_found"],
  ])("is refused for %j, and nothing of it stays", async (over, message) => {
    const cloud = newHetzner();
    await expect(cloud.make("Server", { ...SERVER, ...over })).rejects.toThrow(message);
    expect(cloud.records().items).toEqual({});
  });

  it("takes no more user data than the API does", async () => {
    const cloud = newHetzner();
    await expect(cloud.make("Server", { ...SERVER, userData: `${"ü".repeat(16_384)}.` })).rejects.toThrow("must be no more than 32768 bytes]] (invalid_input");
    await expect(cloud.make("Server", { ...SERVER, userData: "ü".repeat(16_384) })).resolves.toBeDefined();
  });

  it("is not sold where the world's offers say so", async () => {
    const cloud = newHetzner();
    const [offer] = [{ name: "cx33", cores: 4, memory: 8, disk: 80, architecture: "x86", isDeprecated: false }];
    const place = { recommended: true, isDeprecated: false };
    const locations = [
      { ...place, name: "fsn1", available: false },
      { ...place, name: "nbg1", available: true },
    ];
    writeJson(cloud.world, "offers.json", [{ ...offer, locations }]);
    await expect(cloud.make("Server", SERVER)).rejects.toThrow(/^error during placement \(resource_unavailable, [0-9a-f]{16}\)$/);
    await expect(cloud.make("Server", { ...SERVER, location: "nbg1" })).resolves.toBeDefined();
    await expect(cloud.make("Server", { ...SERVER, name: "oc-2", serverType: "cx23" })).rejects.toThrow("server type cx23 not found");
  });

  it("is powered off and on for another type or other addresses, and for nothing else", async () => {
    const cloud = newHetzner();
    const server = of(await makeHost(cloud), "Server");
    const power = (): string[] => cloud.calls().filter((call) => call.startsWith("power"));
    const labelled = await cloud.change("Server", server, { labels: { a: "b" }, backups: false, firewallIds: [] });
    expect(power()).toEqual([]);
    const larger = await cloud.change("Server", labelled, { serverType: "cx43" });
    expect(power()).toEqual(["powerOff Server oc-1", "powerOn Server oc-1"]);
    expect(larger.outputs["primaryDiskSize"]).toBe(160);
    const { outputs } = await cloud.change("Server", larger, { publicNets: [{ ipv6Enabled: false }] });
    expect(power()).toHaveLength(4);
    expect(outputs["ipv6Address"]).toBeUndefined();
    expect(outputs["ipv4Address"]).toBe("203.0.113.2");
  });

  it("keeps a small disk when it is told to, and only then may become smaller again", async () => {
    const cloud = newHetzner();
    const kept = await cloud.change("Server", await cloud.make("Server", { ...SERVER, keepDisk: true }), { serverType: "cx43" });
    await expect(cloud.change("Server", kept, { serverType: "cx33" })).resolves.toMatchObject({ outputs: { primaryDiskSize: 80 } });
    const grown = await cloud.change("Server", await cloud.make("Server", { ...SERVER, name: "oc-2" }), { serverType: "cx43" });
    await expect(cloud.change("Server", grown, { serverType: "cx33" })).rejects.toThrow(
      "server type has a disk of 80 GB, the server one of 160 GB (invalid_server_type",
    );
    await expect(cloud.change("Server", kept, { serverType: "cax31" })).resolves.toBeDefined();
  });

  it("cannot be deleted while it is protected, but the shutdown before it stays done", async () => {
    const cloud = newHetzner();
    const server = await cloud.make("Server", { ...SERVER, ...PROTECTED, shutdownBeforeDeletion: true });
    await expect(cloud.remove("Server", server)).rejects.toThrow("server is protected from deletion (protected");
    expect(cloud.records().items[server.id]?.outputs["status"]).toBe("off");
    const lifted = await cloud.change("Server", server, { deleteProtection: false, rebuildProtection: false });
    await cloud.remove("Server", lifted);
    expect(cloud.records().items).toEqual({});
    expect(cloud.calls()).toEqual([
      "create Server oc-1",
      "shutdown Server oc-1",
      "delete Server oc-1 failed",
      "update Server oc-1",
      "shutdown Server oc-1",
      "delete Server oc-1",
    ]);
  });

  it("leaves its volume and its addresses behind, free for the next one, and takes along those that it made itself", async () => {
    const cloud = newHetzner();
    const host = await makeHost(cloud);
    await cloud.make("Server", { ...SERVER, name: "oc-2" });
    expect((await cloud.invoke("getPrimaryIps"))["primaryIps"]).toHaveLength(4);
    await cloud.remove("Server", of(host, "Server"));
    const { id, inputs } = of(host, "Server");
    expect(await cloud.read("VolumeAttachment", of(host, "VolumeAttachment").id, of(host, "VolumeAttachment").outputs)).toBeUndefined();
    const rebuilt = await cloud.make("Server", inputs);
    expect(rebuilt.id).not.toBe(id);
    expect(rebuilt.outputs).toMatchObject({ ipv4Address: "203.0.113.1", ipv6Address: "2001:db8:1::1" });
    await cloud.make("VolumeAttachment", { volumeId: Number(of(host, "Volume").id), serverId: Number(rebuilt.id) });
    const second = Object.entries(cloud.records().items).find(([, { name }]) => name === "oc-2")?.[0] ?? "";
    await cloud.kind("Server").delete?.(second, {}, { urn: "", timeoutSeconds: 0, signal: new AbortController().signal, log: () => undefined });
    expect((await cloud.invoke("getPrimaryIps"))["primaryIps"]).toHaveLength(2);
  });

  it("is imported without what the API does not tell, and then loses the addresses that it is told to take again", async () => {
    const cloud = newHetzner();
    const host = await makeHost(cloud);
    const { id, inputs } = of(host, "Server");
    const imported = await cloud.read("Server", id);
    expect(imported?.inputs).toEqual({
      ...SERVER,
      backups: true,
      firewallIds: inputs["firewallIds"],
      labels: inputs["labels"],
      placementGroupId: inputs["placementGroupId"],
    });
    const state = { id, inputs: imported?.inputs ?? {}, outputs: imported?.outputs ?? {} };
    await expect(cloud.change("Server", state, { publicNets: inputs["publicNets"] })).rejects.toThrow("primary ip with ID");
    expect(await cloud.read("PrimaryIp", of(host, "PrimaryIp").id, of(host, "PrimaryIp").outputs)).toBeUndefined();
  });
});

describe("a primary address", () => {
  it("belongs to one server at a time, of its own location and version", async () => {
    const cloud = newHetzner();
    const host = await makeHost(cloud);
    const ipv4 = Number(of(host, "PrimaryIp").id);
    const wish = (over: Props, publicNet: Props) => cloud.make("Server", { ...SERVER, name: "oc-2", ...over, publicNets: [publicNet] });
    await expect(wish({}, { ipv4 })).rejects.toThrow("is already assigned to a server (primary_ip_assigned");
    await expect(wish({ location: "nbg1" }, { ipv4 })).rejects.toThrow("is in another location (primary_ip_datacenter_mismatch");
    await expect(wish({}, { ipv6: ipv4 })).rejects.toThrow("is not an ipv6 address (primary_ip_version_mismatch");
  });

  it("is never given out a second time", async () => {
    const cloud = newHetzner();
    const first = await cloud.make("PrimaryIp", { name: "v4", type: "ipv4", location: "fsn1" });
    await cloud.remove("PrimaryIp", first);
    expect((await cloud.make("PrimaryIp", { name: "v4", type: "ipv4", location: "fsn1" })).outputs["ipAddress"]).toBe("203.0.113.2");
  });

  it("cannot be deleted while it is protected, and powers its server off when it goes", async () => {
    const cloud = newHetzner();
    const host = await makeHost(cloud);
    const [made, server] = [of(host, "PrimaryIp"), of(host, "Server")];
    await expect(cloud.remove("PrimaryIp", made), "the state does not know the server").rejects.toThrow("server_not_stopped");
    const ip = await cloud.change("PrimaryIp", await refreshed(cloud, "PrimaryIp", made), { deleteProtection: true });
    await expect(cloud.remove("PrimaryIp", ip)).rejects.toThrow("primary IP is protected from deletion (protected");
    await cloud.remove("PrimaryIp", await cloud.change("PrimaryIp", ip, { deleteProtection: false }));
    expect(cloud.calls()).toEqual(expect.arrayContaining(["powerOff Server oc-1", "powerOn Server oc-1"]));
    expect((await cloud.read("Server", server.id, server.outputs))?.outputs["ipv4Address"]).toBeUndefined();
  });
});

describe("real machines behind the records", () => {
  /** Writes down what is asked of machines. */
  function recordMachines(): { machines: Machines; asked: unknown[][] } {
    const asked: unknown[][] = [];
    const note =
      (what: string) =>
      (_world: string, ...rest: unknown[]): Promise<void> => {
        asked.push([what, ...rest]);
        return Promise.resolve();
      };
    const machines: Machines = {
      createMachine: (spec) => note("create")(spec.world, spec),
      destroyMachine: note("destroy"),
      powerCycle: note("power"),
      setFirewall: note("firewall"),
      createVolume: note("new volume"),
      growVolume: note("grow"),
      destroyVolume: note("drop volume"),
      attachVolume: note("attach"),
      detachVolume: note("detach"),
    };
    return { machines, asked };
  }

  it("boot behind their firewall with their addresses, and then get their volume", async () => {
    const { machines, asked } = recordMachines();
    const cloud = newHetzner({ machines });
    const volume = of(await makeHost(cloud), "Volume");
    const firewall = [HTTPS];
    expect(asked).toEqual([
      ["new volume", volume.id, 10, "ext4"],
      ["create", { world: cloud.world, name: "oc-1", ipv4: "203.0.113.1", ipv6: "2001:db8:1::1", userData: "#cloud-config", firewall }],
      ["attach", "oc-1", volume.id],
    ]);
  });

  it("follow what is changed, and go without their volume", async () => {
    const { machines, asked } = recordMachines();
    const cloud = newHetzner({ machines });
    const host = await makeHost(cloud);
    const [server, firewall, volume] = [of(host, "Server"), of(host, "Firewall"), of(host, "Volume")];
    asked.length = 0;
    const larger = await cloud.change("Server", server, { serverType: "cx43" });
    await cloud.change("Server", larger, { labels: {} });
    await cloud.change("Firewall", firewall, { rules: [{ ...HTTPS, port: "80-85" }] });
    const open = await cloud.change("Server", larger, { firewallIds: [] });
    const grown = await cloud.change("Volume", volume, { size: 20 });
    await cloud.remove("Server", open);
    await cloud.remove("Volume", grown);
    expect(asked).toEqual([
      ["power", "oc-1"],
      ["firewall", "oc-1", [{ ...HTTPS, port: "80-85" }]],
      ["firewall", "oc-1", expect.arrayContaining([{ direction: "in", protocol: "tcp", port: "any", sourceIps: ["0.0.0.0/0", "::/0"] }])],
      ["grow", volume.id, 20],
      ["destroy", "oc-1"],
      ["drop volume", volume.id],
    ]);
  });

  it("lose a volume that is detached or deleted", async () => {
    const { machines, asked } = recordMachines();
    const cloud = newHetzner({ machines });
    const host = await makeHost(cloud);
    const { id } = of(host, "Volume");
    asked.length = 0;
    await cloud.remove("VolumeAttachment", of(host, "VolumeAttachment"));
    await cloud.make("VolumeAttachment", of(host, "VolumeAttachment").inputs);
    await cloud.remove("Volume", of(host, "Volume"));
    expect(asked).toEqual([
      ["detach", "oc-1", id],
      ["attach", "oc-1", id],
      ["detach", "oc-1", id],
      ["drop volume", id],
    ]);
  });

  it("die after they were made, where a plug-in is to", async () => {
    const { machines, asked } = recordMachines();
    const whenItDied: unknown[] = [];
    const cloud = newHetzner({ machines, die: () => whenItDied.push(...asked.map(([what]) => what)) });
    planFaults(cloud.world, [{ api: "hcloud", on: "create", type: "Server", fault: { kind: "crash-after" } }]);
    await cloud.make("Server", SERVER);
    expect(whenItDied).toEqual(["create"]);
  });
});
