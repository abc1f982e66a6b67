import * as z from "zod";

import type { Account } from "../account.ts";
import type { Kind } from "../provider.ts";
import { count, type Item, type Records } from "../world.ts";
import { nextIpv4, nextIpv6 } from "./addresses.ts";
import { refusal } from "./errors.ts";
import { serveItems } from "./item-kind.ts";
import { findItem, itemsOf, Labels, Name, without } from "./items.ts";
import { LOCATIONS } from "./offers.ts";
import { powerCycle } from "./power.ts";

const PrimaryIp = z.strictObject({
  name: Name,
  type: z.enum(["ipv4", "ipv6"]),
  location: z.string(),
  datacenter: z.never("the datacenter attribute is removed, use location").optional(),
  assigneeId: z.never("the stand-in assigns by the server's publicNets alone").optional(),
  assigneeType: z.never("it goes with assigneeId alone").optional(),
  autoDelete: z.boolean().default(false),
  deleteProtection: z.boolean().default(false),
  labels: Labels.optional(),
});

export type IpType = z.output<typeof PrimaryIp>["type"];

export function primaryIp(account: Account): Kind {
  return serveItems(account, {
    type: "PrimaryIp",
    noun: "primary IP",
    inputs: PrimaryIp,
    replace: ["type", "location"],
    computed: ["ipAddress", "ipNetwork", "assigneeId", "assigneeType"],
    make: (records, item, { type, location }) => {
      if (!Object.hasOwn(LOCATIONS, location))
        throw refusal("invalid_input", `invalid input in field 'location': [location => [unknown location "${location}"]]`);
      item.outputs = { ...takeAddress(records, type), assigneeId: 0, assigneeType: "server" };
      return [];
    },
    remove: (records, item, _id, olds) => {
      const server = findItem(records, "Server", String(item.outputs["assigneeId"]));
      if (server === undefined) return [];
      // The provider frees it first, when the state says that it must.
      if (!olds["assigneeId"]) throw refusal("server_not_stopped", "server must be powered off to unassign its primary IP");
      forgetAddress(server, item);
      return powerCycle(records, server);
    },
  });
}

/** An address of the server's own, as Hetzner makes it for one that names none. */
export function makeOwnIp(records: Records, type: IpType, location: string, assigneeId: number): void {
  const id = count(records, "id", 1000);
  const inputs = { name: `primary_ip-${id}`, type, location, autoDelete: true, deleteProtection: false };
  const outputs = { ...takeAddress(records, type), assigneeId, assigneeType: "server" };
  records.items[id] = { type: "PrimaryIp", name: inputs.name, labels: {}, inputs, outputs };
}

/** The address of a type that a server has. */
export function findIpOf(records: Records, server: number, type: IpType): [number, Item] | undefined {
  return itemsOf(records, "PrimaryIp").find(([, { inputs, outputs }]) => inputs["type"] === type && outputs["assigneeId"] === server);
}

function takeAddress(records: Records, type: IpType): { ipAddress: string; ipNetwork?: string } {
  if (type === "ipv4") return { ipAddress: nextIpv4(records) };
  const ipAddress = nextIpv6(records);
  return { ipAddress, ipNetwork: `${ipAddress}/64` };
}

function forgetAddress(server: Item, ip: Item): void {
  const gone = ip.inputs["type"] === "ipv4" ? ["ipv4Address"] : ["ipv6Address", "ipv6Network"];
  server.outputs = without(server.outputs, gone);
}
