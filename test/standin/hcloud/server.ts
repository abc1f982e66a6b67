import { isDeepStrictEqual } from "node:util";

import * as z from "zod";

import type { Account } from "../account.ts";
import type { Kind } from "../provider.ts";
import { guard, rulesOf } from "./firewall.ts";
import { serveItems } from "./item-kind.ts";
import { findItem, getItem, itemsOf, Labels, Name } from "./items.ts";
import type { Effect } from "./machines.ts";
import { changeType, joinGroup, refuseBadOrder } from "./order.ts";
import { powerCycle } from "./power.ts";
import { joinNetworks, PrivateNet } from "./private-nets.ts";
import { connect, disconnect, PublicNet, reconnect } from "./public-nets.ts";

const Server = z.strictObject({
  name: Name,
  serverType: z.string(),
  image: z.string().min(1),
  location: z.string(),
  datacenter: z.never("the datacenter attribute is removed, use location").optional(),
  userData: z.string().optional(),
  sshKeys: z.array(z.string().min(1)).optional(),
  firewallIds: z.array(z.int()).optional(),
  publicNets: z.array(PublicNet).max(1).optional(),
  networks: z.array(PrivateNet).optional(),
  placementGroupId: z.int().optional(),
  backups: z.boolean().default(false),
  keepDisk: z.boolean().default(false),
  deleteProtection: z.boolean().default(false),
  rebuildProtection: z.boolean().default(false),
  shutdownBeforeDeletion: z.boolean().default(false),
  ignoreRemoteFirewallIds: z.boolean().default(false),
  iso: z.string().optional(),
  rescue: z.string().optional(),
  labels: Labels.optional(),
});

type Server = z.output<typeof Server>;

const Addresses = z.object({ ipv4Address: z.string().optional(), ipv6Address: z.string().optional() });

export function server(account: Account): Kind {
  const kind = serveItems(account, {
    type: "Server",
    noun: "server",
    inputs: Server,
    findMistake: ({ deleteProtection, rebuildProtection }) => {
      const differ = typeof deleteProtection === "boolean" && typeof rebuildProtection === "boolean" && deleteProtection !== rebuildProtection;
      return differ ? { property: "rebuildProtection", reason: "must be the same as deleteProtection" } : undefined;
    },
    replace: ["image", "location", "sshKeys", "userData"],
    deleteBeforeReplace: true,
    computed: ["backupWindow", "ipv4Address", "ipv6Address", "ipv6Network", "primaryDiskSize", "status"],
    untold: ["userData", "sshKeys", "publicNets", "networks", "keepDisk", "shutdownBeforeDeletion", "ignoreRemoteFirewallIds", "iso", "rescue"],
    make: (records, item, inputs, id) => {
      const { disk } = refuseBadOrder(records, account.world, inputs);
      item.outputs = { status: "running", primaryDiskSize: disk, ...follow(inputs) };
      // What comes next finds it there.
      records.items[id] = item;
      const firewall = rulesOf(records, inputs.firewallIds ?? []);
      joinGroup(records, inputs.placementGroupId, id);
      connect(records, id, inputs.publicNets?.[0]);
      joinNetworks(records, id, inputs.networks);
      const { ipv4Address: ipv4, ipv6Address: ipv6 } = Addresses.parse(item.outputs);
      const { name, userData = "" } = inputs;
      return [(machines, world) => machines.createMachine({ world, name, ipv4, ipv6, userData, firewall })];
    },
    change: (records, item, { id, news, olds }) => {
      const effects: Effect[] = [];
      const changes = (...inputs: (keyof Server)[]): boolean => inputs.some((input) => !isDeepStrictEqual(news[input], olds[input]));
      if (changes("serverType")) effects.push(...changeType(records, account.world, item, news));
      if (changes("iso", "rescue")) effects.push(...powerCycle(records, item));
      if (changes("networks")) joinNetworks(records, id, news.networks);
      Object.assign(item.outputs, follow(news));
      if (!isDeepStrictEqual(follow(news).firewallIds, olds["firewallIds"])) effects.push(guard(records, id));
      if (changes("publicNets")) {
        const before = z.array(PublicNet).optional().parse(olds["publicNets"]);
        reconnect(records, id, before?.[0], news.publicNets?.[0]);
        effects.push(...powerCycle(records, item));
      }
      if (changes("placementGroupId")) {
        if (olds["placementGroupId"] !== undefined)
          throw new Error("removing a running server from a placement group is currently not supported in the provider");
        joinGroup(records, news.placementGroupId, id);
      }
      return effects;
    },
    remove: (records, { name }, id) => {
      // It goes at once, and leaves go of what it has.
      for (const [, { outputs }] of itemsOf(records, "Volume")) if (outputs["serverId"] === id) delete outputs["serverId"];
      disconnect(records, id);
      return [(machines, world) => machines.destroyMachine(world, name)];
    },
  });
  return {
    ...kind,
    delete: async (id, olds, context) => {
      // A call of its own: when the deletion is refused, the server is down all the same.
      if (olds["shutdownBeforeDeletion"] === true && findItem(account.records(), "Server", id) !== undefined) {
        await account.call({ on: "shutdown", type: "Server", name: String(olds["name"]) }, (records) => {
          getItem(records, "Server", id).outputs["status"] = "off";
        });
      }
      await kind.delete?.(id, olds, context);
    },
  };
}

/** Outputs that say of inputs what the API makes of them. */
function follow({ backups, firewallIds = [] }: Server): { backupWindow: string; firewallIds: number[] } {
  return { backupWindow: backups ? "22-02" : "", firewallIds };
}
