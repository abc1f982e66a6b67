import { generateKeyPairSync } from "node:crypto";

import type { AccountOptions } from "../../standin/account.ts";
import { hcloud } from "../../standin/hcloud.ts";
import { hcloudDialect } from "../../standin/hcloud/errors.ts";
import { toOpenSsh } from "../../standin/ssh-key.ts";
import { type Cloud, type Made, newCloud } from "./cloud.ts";

/** A server as small as can be ordered. */
export const SERVER = { name: "oc-1", serverType: "cx33", image: "ubuntu-24.04", location: "fsn1" };
/** Lets in everybody to one port. */
export const HTTPS = { direction: "in", protocol: "tcp", port: "443", sourceIps: ["0.0.0.0/0", "::/0"] };

/** An account at Hetzner in a world of its own. */
export function newHetzner(options: AccountOptions = {}): Cloud {
  return newCloud(hcloudDialect, hcloud, options);
}

function publicKey(): string {
  return toOpenSsh(generateKeyPairSync("ed25519").privateKey).publicKey.trim();
}

/** One of everything, linked as a host's is. */
export async function makeHost(cloud: Cloud): Promise<Record<string, Made>> {
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

/** What was made of a kind. */
export function of(host: Record<string, Made>, name: string): Made {
  const made = host[name];
  if (made === undefined) throw new Error(`no ${name} was made`);
  return made;
}

/** The state of what was made, as a refresh brings it. */
export async function refreshed(cloud: Cloud, name: string, made: Made): Promise<Made> {
  return { id: made.id, inputs: made.inputs, outputs: {}, ...(await cloud.read(name, made.id, made.outputs)) };
}
