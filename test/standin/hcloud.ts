// Stand-in for the plug-in hcloud 1.41.0 (Terraform provider hcloud 1.67): it sells, refuses and remembers as Hetzner does, in a folder.
import * as z from "zod";

import { Account } from "./account.ts";
import { hcloudDialect } from "./hcloud/errors.ts";
import { firewall } from "./hcloud/firewall.ts";
import { functions } from "./hcloud/functions.ts";
import { network } from "./hcloud/network.ts";
import { networkSubnet } from "./hcloud/network-subnet.ts";
import { placementGroup } from "./hcloud/placement-group.ts";
import { primaryIp } from "./hcloud/primary-ip.ts";
import { server } from "./hcloud/server.ts";
import { sshKey } from "./hcloud/ssh-key.ts";
import { volume } from "./hcloud/volume.ts";
import { volumeAttachment } from "./hcloud/volume-attachment.ts";
import { previewable } from "./inputs.ts";
import { type Provider, serve } from "./provider.ts";
import { findWorld } from "./world.ts";

const Config = z.strictObject({
  token: z.string().length(64, "entered token is invalid (must be exactly 64 characters long)").optional(),
  endpoint: z.string().optional(),
  endpointHetzner: z.string().optional(),
  pollInterval: z.string().optional(),
  pollFunction: z.enum(["constant", "exponential"]).optional(),
});

/** The provider of one account. */
export function hcloud(account: Account): Provider {
  return {
    name: "hcloud",
    version: "1.41.0",
    config: previewable(Config),
    configure: (config) => {
      const { token = process.env["HCLOUD_TOKEN"] ?? "" } = Config.parse(config);
      if (token === "")
        throw new Error(
          "Missing Hetzner Cloud API token: While configuring the provider, the Hetzner Cloud API token was not found in the HCLOUD_TOKEN environment variable or provider configuration block token attribute.",
        );
      account.token = Config.shape.token.parse(token);
      return Promise.resolve();
    },
    kinds: {
      "hcloud:index/firewall:Firewall": firewall(account),
      "hcloud:index/network:Network": network(account),
      "hcloud:index/networkSubnet:NetworkSubnet": networkSubnet(account),
      "hcloud:index/placementGroup:PlacementGroup": placementGroup(account),
      "hcloud:index/primaryIp:PrimaryIp": primaryIp(account),
      "hcloud:index/server:Server": server(account),
      "hcloud:index/sshKey:SshKey": sshKey(account),
      "hcloud:index/volume:Volume": volume(account),
      "hcloud:index/volumeAttachment:VolumeAttachment": volumeAttachment(account),
    },
    functions: functions(account),
  };
}

if (import.meta.main) {
  const machines = process.env["STANDIN_MACHINES"] === "1" ? await import("./machine.ts") : undefined;
  serve(hcloud(new Account(hcloudDialect, findWorld(), { machines })));
}
