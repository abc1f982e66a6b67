import { remote } from "@pulumi/command";
import { Firewall } from "@pulumi/hcloud/firewall.js";
import { PrimaryIp } from "@pulumi/hcloud/primaryIp.js";
import { Server } from "@pulumi/hcloud/server.js";
import { Volume } from "@pulumi/hcloud/volume.js";
import { VolumeAttachment } from "@pulumi/hcloud/volumeAttachment.js";
import * as pulumi from "@pulumi/pulumi";
import { PrivateKey } from "@pulumi/tls/privateKey.js";

import { SSH_USER } from "../lib/ssh.ts";
import type { PlannedMachine } from "../plan/machine.ts";
import { renderCloudInit } from "../templates/cloud-init.ts";
import type { Connection } from "./connection.ts";

export interface HetznerHostArgs {
  machine: PlannedMachine;
  /** Public keys that may log in, sorted. */
  operatorKeys: readonly string[];
  /** Ids of the same keys at Hetzner. */
  sshKeys: pulumi.Input<string>[];
  /** Private network that it joins. */
  subnet?: pulumi.Input<string> | undefined;
  placementGroup?: pulumi.Input<string> | undefined;
  /** Admits the server to the operator's tailnet, once. Secret. */
  tailscaleKey?: pulumi.Output<string> | undefined;
}

/** Everything that makes a server anew. What it is built from counts once, when it is built. */
const BUILT_FROM = ["image", "sshKeys", "userData"];

/** Waits until the server has set itself up. cloud-init ends with 2 when it had warnings; after a reboot in between Docker takes a moment. */
const READY = `set -e
timeout 900 cloud-init status --wait >/dev/null || [ $? -eq 2 ]
sudo -n /usr/local/sbin/openclaw-data
for _ in $(seq 60); do docker version --format '{{.Server.Version}}' && exit 0; sleep 2; done
exit 1`;

/** Replaces the keys in one step; a line that went missing half-way would lock everybody out. */
const WRITE_KEYS = "umask 077 && cat > ~/.ssh/authorized_keys.new && mv ~/.ssh/authorized_keys.new ~/.ssh/authorized_keys";

/**
 * A server at Hetzner that runs Docker and lets in nobody but operators: its firewall stands before it boots, its SSH host key is known before it
 * answers, its addresses and its data outlive it. Nothing a tenant's entry says can replace it.
 */
export class HetznerHost extends pulumi.ComponentResource {
  /** How its Docker is reached. Unknown until the server is ready, so nothing is tried before. */
  readonly connection: Connection;
  readonly server: Server;
  /** The data volume's place on the server: deleted whenever the server is, also when that is only replaced. */
  readonly attachment: VolumeAttachment;
  readonly ipv4: pulumi.Output<string>;
  readonly ipv6: pulumi.Output<string>;
  /** The host key that ssh is to believe, as in a known_hosts file. */
  readonly hostKey: pulumi.Output<string>;

  constructor(name: string, args: HetznerHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openclaw:index:HetznerHost", name, {}, opts);
    const { machine, operatorKeys } = args;
    const { settings, labels } = machine;
    const { location } = settings;
    if (machine.isRebuilding)
      void pulumi.log.warn(
        `host "${name}" is BUILT ANEW: its server and the disk in it are deleted, all its tenants are down for minutes; their data and addresses stay`,
        this,
      );
    if (!settings.protected)
      void pulumi.log.warn(
        `host "${name}" is not protected: \`pulumi destroy\` deletes its server and leaves volume ${machine.name} and addresses ${machine.name}-ipv4 and -ipv6, which cost money until you delete them`,
        this,
      );
    const isProtected = settings.protected;
    const child: pulumi.CustomResourceOptions = { parent: this };
    const guarded = { ...child, protect: isProtected };
    const kept = { ...guarded, retainOnDelete: true };

    const key = new PrivateKey(`${name}-host-key`, { algorithm: "ED25519" }, guarded);
    const address = (type: "ipv4" | "ipv6"): PrimaryIp =>
      new PrimaryIp(`${name}-${type}`, { name: `${machine.name}-${type}`, type, location, autoDelete: false, deleteProtection: isProtected, labels }, kept);
    const [ipv4, ipv6] = [address("ipv4"), address("ipv6")];
    const data = new Volume(
      `${name}-data`,
      { name: machine.name, size: settings.dataGb, location, format: "ext4", deleteProtection: isProtected, labels },
      kept,
    );
    const firewall = new Firewall(`${name}-firewall`, { name: machine.name, rules: machine.firewall, labels }, child);

    this.hostKey = key.publicKeyOpenssh.apply((text) => text.trim());
    this.ipv4 = ipv4.ipAddress;
    this.ipv6 = ipv6.ipAddress.apply(firstAddress);
    const userData = pulumi.all([key.privateKeyOpenssh, this.hostKey, data.linuxDevice]).apply(([privateOpenssh, publicOpenssh, dataDevice]) =>
      renderCloudInit({
        hostname: machine.name,
        hostKey: { privateOpenssh, publicOpenssh },
        operatorKeys,
        dataDevice,
        rebootAt: settings.rebootAt,
        swapMb: settings.swapMb,
        privateRanges: machine.privateRanges,
        hasTailscale: settings.tailscale !== undefined,
        builtFor: settings.rebuild,
      }),
    );
    this.server = new Server(
      `${name}-server`,
      {
        name: machine.name,
        serverType: settings.serverType,
        image: settings.image,
        location,
        userData: pulumi.secret(userData),
        sshKeys: args.sshKeys,
        // Before it boots for the first time.
        firewallIds: [numeric(firewall.id)],
        publicNets: [{ ipv4Enabled: true, ipv4: numeric(ipv4.id), ipv6Enabled: true, ipv6: numeric(ipv6.id) }],
        ...(args.subnet === undefined ? {} : { networks: [{ subnetId: args.subnet }] }),
        ...(args.placementGroup === undefined ? {} : { placementGroupId: numeric(args.placementGroup) }),
        backups: settings.backups,
        deleteProtection: isProtected,
        rebuildProtection: isProtected,
        shutdownBeforeDeletion: true,
        // A larger disk could never be given back, and nothing of value is on it.
        keepDisk: true,
        labels: { ...labels, ...(settings.rebuild === undefined ? {} : { "openclaw-tenants.rebuild": settings.rebuild }) },
      },
      // Name, addresses and volume belong to one server at a time.
      { ...guarded, deleteBeforeReplace: true, ignoreChanges: machine.isSettled ? BUILT_FROM : [], customTimeouts: { create: "15m", delete: "15m" } },
    );
    const onServer: pulumi.CustomResourceOptions = { ...child, deletedWith: this.server };
    this.attachment = new VolumeAttachment(
      `${name}-data`,
      { volumeId: numeric(data.id), serverId: numeric(this.server.id), automount: false },
      // A server gives it up by itself when it goes, and writes to it until then.
      { ...onServer, deleteBeforeReplace: true, retainOnDelete: true },
    );

    const host = settings.tailscale?.address ?? this.ipv4;
    const run = (role: string, command: Omit<remote.CommandArgs, "connection">, options: pulumi.CustomResourceOptions): remote.Command =>
      new remote.Command(
        `${name}-${role}`,
        {
          ...command,
          // The key comes from the operator's agent. A new server takes some minutes until it answers.
          connection: { host, user: SSH_USER, hostKey: this.hostKey, dialErrorLimit: 60, perDialTimeout: 10 },
          addPreviousOutputInEnv: false,
        },
        { ...onServer, ...options, customTimeouts: { create: "20m", update: "20m" } },
      );
    const ready = run("ready", { create: READY, triggers: [this.server.id, this.attachment.id] }, { dependsOn: [this.attachment] });
    run("data-size", { create: "sudo -n /usr/local/sbin/openclaw-data", triggers: [data.size] }, { dependsOn: [ready] });
    run("operators", { create: WRITE_KEYS, update: WRITE_KEYS, stdin: `${operatorKeys.join("\n")}\n` }, { dependsOn: [ready] });
    if (args.tailscaleKey !== undefined)
      run("tailscale", { create: "sudo -n /usr/local/sbin/openclaw-join", stdin: args.tailscaleKey, triggers: [this.server.id] }, { dependsOn: [ready] });

    this.connection = { ssh: { address: pulumi.all([host, ready.stdout]).apply(([address]) => address), hostKey: this.hostKey } };
    this.registerOutputs();
  }
}

/** Hetzner's own ids are numbers, the engine's are text. */
function numeric(id: pulumi.Input<string>): pulumi.Output<number> {
  return pulumi.output(id).apply(Number);
}

/** Of a whole IPv6 network the server answers at the first address. */
function firstAddress(network: string): string {
  return network.endsWith("::") ? `${network}1` : network;
}
