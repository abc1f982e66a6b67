import { describe, expect, it } from "vitest";

import type { Props } from "../../standin/provider.ts";
import type { Made } from "./cloud.ts";
import { HTTPS, makeHost, newHetzner, of, refreshed, SERVER } from "./hetzner.ts";

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
    const host = await makeHost(cloud);
    const [firewall, server] = [of(host, "Firewall"), of(host, "Server")];
    const seen = await refreshed(cloud, "Firewall", firewall);
    expect(seen.outputs["applyTos"]).toEqual([{ server: Number(server.id) }]);
    expect((await cloud.change("Firewall", seen, { rules: [] })).outputs["rules"]).toMatchObject([{ port: "443" }]);
    await cloud.remove("Firewall", firewall);
    expect((await cloud.read("Server", server.id, server.outputs))?.outputs["firewallIds"]).toEqual([]);
  });
});
