import { generateKeyPairSync } from "node:crypto";

import { describe, expect, it } from "vitest";

import { hcloud } from "../../standin/hcloud.ts";
import { hcloudDialect } from "../../standin/hcloud/errors.ts";
import { without } from "../../standin/hcloud/items.ts";
import { type Props, UNKNOWN } from "../../standin/provider.ts";
import { toOpenSsh } from "../../standin/ssh-key.ts";
import { writeJson } from "../../standin/world.ts";
import { type Cloud, type Made, newCloud } from "./cloud.ts";

const SERVER = { name: "oc-1", serverType: "cx33", image: "ubuntu-24.04", location: "fsn1" };
const PROTECTED = { deleteProtection: true, rebuildProtection: true };
const HTTPS = { direction: "in", protocol: "tcp", port: "443", sourceIps: ["0.0.0.0/0", "::/0"] };

function newHetzner(): Cloud {
  return newCloud(hcloudDialect, hcloud);
}

function publicKey(): string {
  return toOpenSsh(generateKeyPairSync("ed25519").privateKey).publicKey.trim();
}

/** One of everything, linked as a host's is. */
async function makeHost(cloud: Cloud, over: Props = {}): Promise<Record<string, Made>> {
  const labels = { stack: "prod", host: "one" };
  const sshKey = await cloud.make("SshKey", { name: "op", publicKey: publicKey(), labels });
  const firewall = await cloud.make("Firewall", { name: "fw", rules: [HTTPS], labels });
  const ipv4 = await cloud.make("PrimaryIp", { name: "v4", type: "ipv4", location: "fsn1", labels });
  const ipv6 = await cloud.make("PrimaryIp", { name: "v6", type: "ipv6", location: "fsn1", labels });
  const network = await cloud.make("Network", { name: "net", ipRange: "10.42.0.0/16", labels });
  const subnet = await cloud.make("NetworkSubnet", { networkId: Number(network.id), type: "cloud", networkZone: "eu-central", ipRange: "10.42.1.0/24" });
  const group = await cloud.make("PlacementGroup", { name: "spread", type: "spread", labels });
  const volume = await cloud.make("Volume", { name: "data", size: 10, location: "fsn1", format: "ext4", labels });
  const server = await cloud.make("Server", {
    ...SERVER,
    userData: "#cloud-config",
    sshKeys: [sshKey.id],
    firewallIds: [Number(firewall.id)],
    publicNets: [{ ipv4: Number(ipv4.id), ipv6: Number(ipv6.id) }],
    networks: [{ subnetId: subnet.id }],
    placementGroupId: Number(group.id),
    backups: true,
    shutdownBeforeDeletion: true,
    labels,
    ...over,
  });
  const attachment = await cloud.make("VolumeAttachment", { volumeId: Number(volume.id), serverId: Number(server.id), automount: false });
  return {
    SshKey: sshKey,
    Firewall: firewall,
    PrimaryIp: ipv4,
    PrimaryIpV6: ipv6,
    Network: network,
    NetworkSubnet: subnet,
    PlacementGroup: group,
    Volume: volume,
    Server: server,
    VolumeAttachment: attachment,
  };
}

function of(host: Record<string, Made>, name: string): Made {
  const made = host[name];
  if (made === undefined) throw new Error(`no ${name} was made`);
  return made;
}

/** The state of what was made, as a refresh brings it. */
async function refreshed(cloud: Cloud, name: string, made: Made): Promise<Made> {
  return { id: made.id, inputs: made.inputs, outputs: {}, ...(await cloud.read(name, made.id, made.outputs)) };
}

describe("inputs of Hetzner's things", () => {
  it.each([
    ["Server", { ...SERVER, size: 1 }, ': Unrecognized key: "size"'],
    ["Server", { ...SERVER, publicNets: [{ v4: 1 }] }, 'publicNets[0]: Unrecognized key: "v4"'],
    ["Server", { ...SERVER, publicNets: [{}, {}] }, "publicNets: Too big: expected array to have <=1 items"],
    ["Server", { name: "oc-1", image: "ubuntu-24.04", location: "fsn1" }, "serverType: Invalid input: expected string, received undefined"],
    ["Server", { ...SERVER, datacenter: "fsn1-dc14" }, "datacenter: the datacenter attribute is removed, use location"],
    ["Server", { ...SERVER, deleteProtection: true }, "rebuildProtection: must be the same as deleteProtection"],
    ["Server", { ...SERVER, firewallIds: ["7"] }, "firewallIds[0]: Invalid input: expected number, received string"],
    ["Server", { ...SERVER, labels: { "-a": "b" } }, 'labels["-a"]: Invalid key in record'],
    ["Server", { ...SERVER, labels: { a: "b c" } }, "labels.a: label value 'b c' is not correctly formatted"],
    ["PrimaryIp", { name: "v4", type: "ipv5", location: "fsn1" }, 'type: Invalid option: expected one of "ipv4"|"ipv6"'],
    ["PrimaryIp", { name: "v4", type: "ipv4" }, "location: Invalid input: expected string, received undefined"],
    ["Volume", { name: "data", location: "fsn1", size: "10" }, "size: Invalid input: expected number, received string"],
    ["Firewall", { name: "fw", rules: [{ ...HTTPS, sourceIps: ["10.0.0.1/8"] }] }, "rules[0].sourceIps[0]: 10.0.0.1/8 is not the start of its cidr block"],
    ["Firewall", { name: "fw", rules: [{ ...HTTPS, sourceIps: ["all"] }] }, "rules[0].sourceIps[0]: invalid CIDR address: all"],
    [
      "NetworkSubnet",
      { networkId: 1, type: "vpn", networkZone: "eu-central", ipRange: "10.0.0.0/24" },
      'type: Invalid option: expected one of "cloud"|"server"',
    ],
    ["PlacementGroup", { name: "g", type: "pack" }, 'type: Invalid input: expected "spread"'],
    ["SshKey", { name: "op" }, "publicKey: Invalid input: expected string, received undefined"],
  ])("refuse a bad %s before anything is made: %j", (name, inputs, mistake) => {
    expect(newHetzner().mistakes(name, inputs)).toEqual([mistake]);
  });

  it("may be unknown, however deep, until they are made", () => {
    const unknown = { ...SERVER, userData: UNKNOWN, sshKeys: [UNKNOWN], firewallIds: [UNKNOWN], publicNets: [{ ipv4: UNKNOWN }], placementGroupId: UNKNOWN };
    expect(newHetzner().mistakes("Server", unknown)).toEqual([]);
  });

  it("are filled in with the provider's defaults", async () => {
    const { inputs } = await newHetzner().make("Server", { ...SERVER, publicNets: [{}] });
    expect(inputs).toMatchObject({ backups: false, keepDisk: false, publicNets: [{ ipv4Enabled: true, ipv6Enabled: true }], rebuildProtection: false });
  });

  it.each([
    ["Server", ["image", "location", "sshKeys", "userData"]],
    ["PrimaryIp", ["type", "location"]],
    ["Volume", ["location"]],
    ["VolumeAttachment", ["volumeId", "serverId"]],
    ["SshKey", ["publicKey"]],
    ["Network", ["ipRange"]],
    ["Firewall", []],
  ])("replace a %s only by %j", (name, replace) => {
    expect(newHetzner().kind(name)).toMatchObject({ replace, update: expect.any(Function) as unknown });
  });
});

describe("a host at Hetzner", () => {
  it("is read as it was made, so that a refresh changes nothing", async () => {
    const cloud = newHetzner();
    const host = await makeHost(cloud);
    for (const [name, { id, inputs, outputs }] of Object.entries(host)) {
      const kind = name.replace("V6", "");
      const seen = await cloud.read(kind, id, outputs);
      expect(seen?.inputs, kind).toEqual(inputs);
      // Who is where, others learn only when they are read again.
      const learned = ["servers", "applyTos", "assigneeId", "serverId", "subnets"];
      expect(without(seen?.outputs ?? {}, learned), kind).toEqual(without(outputs, learned));
    }
  });

  it("has outputs in the form of the API's", async () => {
    const host = await makeHost(newHetzner());
    expect(of(host, "Server").outputs).toMatchObject({
      ipv4Address: "203.0.113.1",
      ipv6Address: "2001:db8:1::1",
      ipv6Network: "2001:db8:1::/64",
      status: "running",
      primaryDiskSize: 80,
      backupWindow: "22-02",
    });
    expect(of(host, "Server").outputs["networks"]).toMatchObject([{ ip: "10.42.1.2", networkId: Number(of(host, "Network").id), aliasIps: [] }]);
    expect(of(host, "PrimaryIpV6").outputs).toMatchObject({ ipAddress: "2001:db8:1::", ipNetwork: "2001:db8:1::/64" });
    expect(of(host, "Volume").outputs).toMatchObject({ linuxDevice: `/dev/disk/by-id/scsi-0HC_Volume_${of(host, "Volume").id}` });
    expect(of(host, "SshKey").outputs["fingerprint"]).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    expect(of(host, "VolumeAttachment").id).toBe(of(host, "Volume").id);
    expect(Number(of(host, "SshKey").id)).toBe(1000);
  });

  it("shows what somebody changed by hand", async () => {
    const cloud = newHetzner();
    const { Server: server } = await makeHost(cloud);
    if (server === undefined) throw new Error("no server was made");
    const records = cloud.records();
    const item = records.items[server.id];
    if (item === undefined) throw new Error("the world has no server");
    item.inputs["backups"] = false;
    writeJson(cloud.world, "hcloud.json", records);
    expect((await cloud.read("Server", server.id, server.outputs))?.inputs["backups"]).toBe(false);
    writeJson(cloud.world, "hcloud.json", { ...records, items: {} });
    expect(await cloud.read("Server", server.id, server.outputs)).toBeUndefined();
  });

  it("refuses a second thing of the same name, and a second key of the same fingerprint", async () => {
    const cloud = newHetzner();
    const host = await makeHost(cloud);
    const again = (name: string) => cloud.make(name, of(host, name).inputs);
    await expect(again("Server")).rejects.toThrow(/^server name is already used \(uniqueness_error, [0-9a-f]{16}\)$/);
    await expect(again("SshKey")).rejects.toThrow("SSH key name is already used (uniqueness_error");
    for (const name of ["Firewall", "PrimaryIp", "Network", "PlacementGroup", "Volume"])
      await expect(again(name), name).rejects.toThrow(/^name is already used/);
    const same = { name: "other", publicKey: of(host, "SshKey").inputs["publicKey"] };
    await expect(cloud.make("SshKey", same)).rejects.toThrow("SSH key with the same fingerprint already exists (uniqueness_error");
    const other = await cloud.make("Firewall", { name: "other" });
    await expect(cloud.change("Firewall", other, { name: "fw" })).rejects.toThrow("name is already used");
  });
});

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
    await expect(cloud.make("Server", { ...SERVER, userData: "ü".repeat(16_385) })).rejects.toThrow("must be no more than 32768 bytes]] (invalid_input");
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
    const { Server: server } = await makeHost(cloud);
    if (server === undefined) throw new Error("no server was made");
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
    const { PrimaryIp: made, Server: server } = await makeHost(cloud);
    if (made === undefined || server === undefined) throw new Error("no host was made");
    await expect(cloud.remove("PrimaryIp", made), "the state does not know the server").rejects.toThrow("server_not_stopped");
    const ip = await cloud.change("PrimaryIp", await refreshed(cloud, "PrimaryIp", made), { deleteProtection: true });
    await expect(cloud.remove("PrimaryIp", ip)).rejects.toThrow("primary IP is protected from deletion (protected");
    await cloud.remove("PrimaryIp", await cloud.change("PrimaryIp", ip, { deleteProtection: false }));
    expect(cloud.calls()).toEqual(expect.arrayContaining(["powerOff Server oc-1", "powerOn Server oc-1"]));
    expect((await cloud.read("Server", server.id, server.outputs))?.outputs["ipv4Address"]).toBeUndefined();
  });
});

describe("a volume", () => {
  it("grows and never shrinks", async () => {
    const cloud = newHetzner();
    const volume = await cloud.make("Volume", { name: "data", size: 20, location: "fsn1" });
    await expect(cloud.change("Volume", volume, { size: 19 })).rejects.toThrow("can only be increased]] (invalid_input");
    await expect(cloud.change("Volume", volume, { size: 21 })).resolves.toMatchObject({ outputs: { size: 21 } });
    await expect(cloud.make("Volume", { name: "small", size: 9, location: "fsn1" })).rejects.toThrow("must be between 10 and 10240");
    await expect(cloud.make("Volume", { name: "odd", size: 10, location: "fsn1", format: "zfs" })).rejects.toThrow("must be ext4 or xfs");
  });

  it("is at one server of its own location", async () => {
    const cloud = newHetzner();
    const host = await makeHost(cloud);
    const [second, far] = [await cloud.make("Server", { ...SERVER, name: "oc-2" }), await cloud.make("Server", { ...SERVER, name: "oc-3", location: "nbg1" })];
    const attach = (server: Made) => cloud.make("VolumeAttachment", { volumeId: Number(of(host, "Volume").id), serverId: Number(server.id) });
    await expect(attach(second)).rejects.toThrow("volume is already attached to a server, please detach it first (volume_already_attached");
    await cloud.remove("VolumeAttachment", of(host, "VolumeAttachment"));
    await expect(attach(far)).rejects.toThrow("volume and server must be in the same location]] (invalid_input");
    await attach(second);
    expect((await cloud.read("Volume", of(host, "Volume").id, of(host, "Volume").outputs))?.outputs["serverId"]).toBe(Number(second.id));
  });

  it("cannot be deleted while it is protected", async () => {
    const cloud = newHetzner();
    const volume = await cloud.make("Volume", { name: "data", size: 10, location: "fsn1", deleteProtection: true });
    await expect(cloud.remove("Volume", volume)).rejects.toThrow("volume is protected from deletion (protected");
  });
});

describe("a private network", () => {
  it("has subnets that lie in it and do not overlap, and gives each server an address of its own", async () => {
    const cloud = newHetzner();
    const network = await cloud.make("Network", { name: "net", ipRange: "10.0.0.0/16" });
    const networkId = Number(network.id);
    const cut = (ipRange: string) => cloud.make("NetworkSubnet", { networkId, type: "cloud", networkZone: "eu-central", ipRange });
    await expect(cloud.make("Server", { ...SERVER, networks: [{ networkId }] })).rejects.toThrow("no_subnet_available");
    await expect(cut("10.1.0.0/24")).rejects.toThrow("must be the start of a range in the network's");
    const { id, outputs } = await cut("10.0.1.0/24");
    expect([id, outputs["gateway"]]).toEqual([`${networkId}-10.0.1.0/24`, "10.0.0.1"]);
    await expect(cut("10.0.0.0/23")).rejects.toThrow("overlaps");
    const join = async (name: string, net: Props) =>
      ((await cloud.make("Server", { ...SERVER, name, networks: [net] })).outputs["networks"] as Props[])[0]?.["ip"];
    expect(await join("oc-1", { subnetId: id })).toBe("10.0.1.2");
    expect(await join("oc-2", { networkId })).toBe("10.0.1.3");
    await expect(join("oc-3", { networkId, ip: "10.0.1.3" })).rejects.toThrow("IP 10.0.1.3 is not available (ip_not_available");
    await expect(join("oc-3", { networkId, ip: "10.0.2.3" })).rejects.toThrow("server IP (10.0.2.3) is outside subnet IP range");
    await expect(cloud.make("Server", { ...SERVER, name: "oc-3", networks: [{ networkId }, { subnetId: id }] })).rejects.toThrow(
      "attached to each network once",
    );
    await expect(cloud.make("Network", { name: "wide", ipRange: "8.0.0.0/8" })).rejects.toThrow("must be the start of a private range");
  });
});

describe("a placement group", () => {
  it("takes ten servers and no more", async () => {
    const cloud = newHetzner();
    const placementGroupId = Number((await cloud.make("PlacementGroup", { name: "spread", type: "spread" })).id);
    for (let index = 1; index <= 10; index++) await cloud.make("Server", { ...SERVER, name: `oc-${index}`, placementGroupId });
    await expect(cloud.make("Server", { ...SERVER, name: "oc-11", placementGroupId })).rejects.toThrow(
      "an error during the placement occurred (placement_error",
    );
    expect((await cloud.read("PlacementGroup", String(placementGroupId), {}))?.outputs["servers"]).toHaveLength(10);
  });
});

describe("a firewall", () => {
  it.each([
    [{ ...HTTPS, port: undefined }, "rules[0].port => [is required"],
    [{ ...HTTPS, port: "https" }, "rules[0].port => [is required"],
    [{ ...HTTPS, protocol: "icmp" }, "rules[0].port => [must not be set for icmp]"],
    [{ ...HTTPS, sourceIps: [] }, "rules[0].source_ips => [must have 1 to 100 ranges]"],
    [{ ...HTTPS, destinationIps: ["0.0.0.0/0"] }, "rules[0].destination_ips => [must be empty for direction in]"],
  ])("is refused with the rule %j", async (rule, message) => {
    await expect(newHetzner().make("Firewall", { name: "fw", rules: [rule] })).rejects.toThrow(message);
  });

  it("says which servers are behind it, and keeps its last rules when it is given none", async () => {
    const cloud = newHetzner();
    const { Firewall: firewall, Server: server } = await makeHost(cloud);
    if (firewall === undefined || server === undefined) throw new Error("no host was made");
    const seen = await refreshed(cloud, "Firewall", firewall);
    expect(seen.outputs["applyTos"]).toEqual([{ server: Number(server.id) }]);
    expect((await cloud.change("Firewall", seen, { rules: [] })).outputs["rules"]).toMatchObject([{ port: "443" }]);
    await cloud.remove("Firewall", firewall);
    expect((await cloud.read("Server", server.id, server.outputs))?.outputs["firewallIds"]).toEqual([]);
  });
});

describe("lists of Hetzner's", () => {
  it.each([
    ["stack=prod", ["one", "two"]],
    ["stack==prod,host=one", ["one"]],
    ["stack=prod,host!=one", ["two"]],
    ["host", ["one", "two", "three"]],
    ["!host", ["bare"]],
    ["stack in (test, prod),host", ["one", "two", "three"]],
    ["host notin (one,two)", ["three", "bare"]],
    ["", ["one", "two", "three", "bare"]],
  ])("find by the selector %j", async (withSelector, names) => {
    const cloud = newHetzner();
    const stacks: Record<string, Record<string, string>> = { one: { stack: "prod" }, two: { stack: "prod" }, three: { stack: "test" } };
    for (const [host, labels] of Object.entries(stacks)) await cloud.make("Firewall", { name: host, labels: { ...labels, host } });
    await cloud.make("Firewall", { name: "bare" });
    expect(((await cloud.invoke("getFirewalls", { withSelector }))["firewalls"] as Props[]).map(({ name }) => name)).toEqual(names);
  });

  it("refuse a selector that is none, and arguments that they do not have", async () => {
    const cloud = newHetzner();
    await cloud.make("Firewall", { name: "fw" });
    await expect(cloud.invoke("getFirewalls", { withSelector: "a = = b" })).rejects.toThrow("is not a term of a label selector (invalid_input");
    await expect(cloud.invoke("getVolumes", { mostRecent: true })).rejects.toThrow("mostRecent");
  });

  it("show servers and volumes with numbers for ids", async () => {
    const cloud = newHetzner();
    const host = await makeHost(cloud);
    const servers = (await cloud.invoke("getServers", { withSelector: "stack=prod", withStatuses: ["running"] }))["servers"];
    expect(servers).toMatchObject([
      { id: Number(of(host, "Server").id), name: "oc-1", serverType: "cx33", location: "fsn1", status: "running", labels: { host: "one" } },
    ]);
    expect(servers).not.toMatchObject([{ userData: expect.anything() as unknown }]);
    expect((await cloud.invoke("getServers", { withStatuses: ["off"] }))["servers"]).toEqual([]);
    expect((await cloud.invoke("getVolumes"))["volumes"]).toMatchObject([
      { id: Number(of(host, "Volume").id), size: 10, serverId: Number(of(host, "Server").id) },
    ]);
    expect((await cloud.invoke("getPlacementGroups"))["placementGroups"]).toMatchObject([{ servers: [Number(of(host, "Server").id)] }]);
    expect((await cloud.invoke("getSshKeys"))["sshKeys"]).toHaveLength(1);
    expect((await cloud.invoke("getNetworks"))["networks"]).toMatchObject([{ ipRange: "10.42.0.0/16" }]);
  });

  it("show what is sold, with the places", async () => {
    const types = (await newHetzner().invoke("getServerTypes"))["serverTypes"] as Props[];
    expect(types.find(({ name }) => name === "cx33")).toMatchObject({ cores: 4, memory: 8, disk: 80, architecture: "x86", isDeprecated: false });
    expect(types.find(({ name }) => name === "cx33")?.["locations"]).toContainEqual(
      expect.objectContaining({ name: "fsn1", available: true, isDeprecated: false }),
    );
    expect(types.find(({ name }) => name === "cx22")).toMatchObject({ isDeprecated: true, locations: [] });
  });
});

describe("a token of Hetzner's", () => {
  const TOKEN = "x".repeat(64);

  it("has 64 characters, and is asked for before anything else", async () => {
    const { account } = newHetzner();
    const provider = hcloud(account);
    await provider.configure?.({ token: TOKEN });
    expect(account.token).toBe(TOKEN);
    const before = process.env["HCLOUD_TOKEN"];
    try {
      delete process.env["HCLOUD_TOKEN"];
      expect(() => provider.configure?.({})).toThrow("Missing Hetzner Cloud API token");
      process.env["HCLOUD_TOKEN"] = "short";
      expect(() => provider.configure?.({})).toThrow("must be exactly 64 characters long");
    } finally {
      if (before === undefined) delete process.env["HCLOUD_TOKEN"];
      else process.env["HCLOUD_TOKEN"] = before;
    }
  });

  it("may do nothing but read when it is read-only, and nothing at all when it is unknown", async () => {
    const cloud = newHetzner();
    const host = await makeHost(cloud);
    const firewall = of(host, "Firewall");
    cloud.account.token = `ro-${TOKEN}`;
    await expect(cloud.read("Firewall", firewall.id, firewall.outputs)).resolves.toBeDefined();
    await expect(cloud.invoke("getServers")).resolves.toBeDefined();
    const refusal = "the token is only allowed to perform GET requests (token_readonly";
    await expect(cloud.make("Firewall", { name: "other" })).rejects.toThrow(refusal);
    await expect(cloud.change("Firewall", firewall, { labels: {} })).rejects.toThrow(refusal);
    await expect(cloud.remove("Firewall", firewall)).rejects.toThrow(refusal);
    await expect(cloud.remove("Server", of(host, "Server"))).rejects.toThrow(refusal);
    cloud.account.token = `bad-${TOKEN}`;
    await expect(cloud.invoke("getServers")).rejects.toThrow("unable to authenticate (unauthorized");
    expect(Object.keys(cloud.records().items)).toHaveLength(8);
  });
});
