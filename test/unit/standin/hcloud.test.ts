import { describe, expect, it } from "vitest";

import { hcloud } from "../../standin/hcloud.ts";
import { without } from "../../standin/hcloud/items.ts";
import { type Props, UNKNOWN } from "../../standin/provider.ts";
import { writeJson } from "../../standin/world.ts";
import { HTTPS, makeHost, newHetzner, of, SERVER } from "./hetzner.ts";

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

  it("replace an attachment for another volume or another server", () => {
    expect(newHetzner().kind("VolumeAttachment").replace).toEqual(["volumeId", "serverId"]);
  });

  it("are filled in with the provider's defaults", async () => {
    const { inputs } = await newHetzner().make("Server", { ...SERVER, publicNets: [{}] });
    expect(inputs).toMatchObject({ backups: false, keepDisk: false, publicNets: [{ ipv4Enabled: true, ipv6Enabled: true }], rebuildProtection: false });
  });

  it.each([
    ["Server", ["image", "location", "sshKeys", "userData"], true],
    ["PrimaryIp", ["type", "location"], false],
    ["Volume", ["location"], true],
    ["SshKey", ["publicKey"], false],
    ["Network", ["ipRange"], true],
    ["Firewall", [], true],
  ])("replace a %s only by %j; the old one goes first: %j", (name, replace, deleteBeforeReplace) => {
    expect(newHetzner().kind(name)).toMatchObject({ replace, deleteBeforeReplace, update: expect.any(Function) as unknown });
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
    const server = of(await makeHost(cloud), "Server");
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
