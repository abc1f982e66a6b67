import { Network } from "@pulumi/hcloud/network.js";
import { NetworkSubnet } from "@pulumi/hcloud/networkSubnet.js";
import { PlacementGroup } from "@pulumi/hcloud/placementGroup.js";
import { SshKey } from "@pulumi/hcloud/sshKey.js";
import * as pulumi from "@pulumi/pulumi";

import { shortHash } from "../lib/hash.ts";
import type { Fleet } from "../plan/fleet.ts";
import { labelsOf, nameMachine } from "../plan/names.ts";

export interface HetznerCommonArgs {
  stack: string;
  /** Operators' public keys by name. */
  operators: Fleet["operators"];
  hetzner: Fleet["hetzner"];
}

/** What a stack's servers at Hetzner share: operators' keys, and where asked for a private network and a placement group. */
export class HetznerCommon extends pulumi.ComponentResource {
  /** Ids of operators' keys, without which Hetzner would send a password for root by mail. */
  readonly sshKeys: pulumi.Output<string>[];
  /** Absent: servers have no private network. */
  readonly subnet: pulumi.Output<string> | undefined;
  /** Absent: Hetzner places servers as it likes. */
  readonly placementGroup: pulumi.Output<string> | undefined;

  constructor(name: string, { stack, operators, hetzner }: HetznerCommonArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openclaw:index:HetznerCommon", name, {}, opts);
    const child: pulumi.CustomResourceOptions = { parent: this };
    const labels = labelsOf(stack, "common");
    const { network: settings, spread } = hetzner;

    this.sshKeys = Object.entries(operators)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      // Another key is made before the old one goes, so it needs a name of its own.
      .map(([operator, publicKey]) => ({ operator, publicKey, name: nameMachine(stack, `${operator}-${shortHash(publicKey)}`) }))
      .map(({ operator, publicKey, name: keyName }) => new SshKey(`operator-${operator}`, { name: keyName, publicKey, labels }, child).id);
    if (settings !== undefined) {
      const network = new Network(`${name}-network`, { name: nameMachine(stack, "network"), ipRange: settings.ipRange, labels }, child);
      const { zone: networkZone, ipRange } = settings;
      this.subnet = new NetworkSubnet(`${name}-subnet`, { networkId: network.id.apply(Number), type: "cloud", networkZone, ipRange }, child).id;
    }
    this.placementGroup = spread ? new PlacementGroup(`${name}-spread`, { name: nameMachine(stack, "spread"), type: "spread", labels }, child).id : undefined;
    this.registerOutputs();
  }
}
