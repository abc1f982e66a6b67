import * as z from "zod";

import { Halfway } from "../account.ts";
import { dropItem, type Item, type Records } from "../world.ts";
import { refusal } from "./errors.ts";
import { getItem, itemsOf, without } from "./items.ts";
import { findIpOf, type IpType, makeOwnIp } from "./primary-ip.ts";

export const PublicNet = z.strictObject({
  ipv4Enabled: z.boolean().default(true),
  ipv4: z.int().optional(),
  ipv6Enabled: z.boolean().default(true),
  ipv6: z.int().optional(),
});

type PublicNet = z.output<typeof PublicNet>;

const TYPES: readonly IpType[] = ["ipv4", "ipv6"];

/** Gives a new server its addresses: those it names, else some of its own. */
export function connect(records: Records, server: number, net: PublicNet | undefined): void {
  for (const type of TYPES) {
    const { isEnabled, ip } = wish(net, type);
    if (ip !== undefined) assign(records, type, ip, server);
    else if (isEnabled) makeOwnIp(records, type, locationOf(records, server), server);
  }
  showAddresses(records, server);
}

/** Frees the addresses of a server that goes; its own ones go with it. */
export function disconnect(records: Records, server: number): void {
  for (const [id, ip] of itemsOf(records, "PrimaryIp").filter(([, each]) => each.outputs["assigneeId"] === server)) {
    if (ip.inputs["autoDelete"] === true) dropItem(records, id);
    else ip.outputs["assigneeId"] = 0;
  }
}

/**
 * Changes a server's addresses as the provider does (its `publicNetUpdateDecision`). What it removes it takes for an address of the server's own and
 * deletes, unless the state names it: after an import, which shows no public nets, that is the very address that is to be assigned.
 */
export function reconnect(records: Records, server: number, before: PublicNet | undefined, now: PublicNet | undefined): void {
  for (const type of TYPES) {
    const old = wish(before, type);
    const { isEnabled, ip } = wish(now, type);
    const has = findIpOf(records, server, type);
    const makeOwn = (): void => {
      makeOwnIp(records, type, locationOf(records, server), server);
    };
    if (now === undefined) {
      if (has === undefined || old.ip === undefined) continue;
      release(records, has, false);
      makeOwn();
    } else if (isEnabled && ip !== undefined) {
      if (has !== undefined) release(records, has, old.ip === undefined);
      try {
        assign(records, type, ip, server);
      } catch (error) {
        throw new Halfway(error instanceof Error ? error.message : String(error));
      }
    } else if (isEnabled) {
      if (has !== undefined && old.ip !== undefined) release(records, has, false);
      if (!old.isEnabled || old.ip !== undefined) makeOwn();
    } else {
      if (ip !== undefined) throw new Error(`this operation is not allowed: ${type}_enabled = false | ${type} = ${ip}`);
      if (has !== undefined) release(records, has, old.ip === undefined);
    }
  }
  showAddresses(records, server);
}

function wish(net: PublicNet | undefined, type: IpType): { isEnabled: boolean; ip: number | undefined } {
  return type === "ipv4" ? { isEnabled: net?.ipv4Enabled ?? true, ip: net?.ipv4 } : { isEnabled: net?.ipv6Enabled ?? true, ip: net?.ipv6 };
}

function assign(records: Records, type: IpType, id: number, server: number): void {
  const ip = getItem(records, "PrimaryIp", id);
  if (ip.inputs["type"] !== type) throw refusal("primary_ip_version_mismatch", `primary IP ${id} is not an ${type} address`);
  if (ip.inputs["location"] !== locationOf(records, server)) throw refusal("primary_ip_datacenter_mismatch", `primary IP ${id} is in another location`);
  if (ip.outputs["assigneeId"] !== 0) throw refusal("primary_ip_assigned", `primary IP ${id} is already assigned to a server`);
  ip.outputs["assigneeId"] = server;
}

function release(records: Records, [id, ip]: [number, Item], forGood: boolean): void {
  ip.outputs["assigneeId"] = 0;
  if (!forGood) return;
  if (ip.inputs["deleteProtection"] === true) throw refusal("protected", "primary IP is protected from deletion");
  dropItem(records, id);
}

function locationOf(records: Records, server: number): string {
  return String(getItem(records, "Server", server).inputs["location"]);
}

/** Writes into a server's outputs which addresses it has. */
function showAddresses(records: Records, server: number): void {
  const item = getItem(records, "Server", server);
  const [ipv4, ipv6] = TYPES.map((type) => findIpOf(records, server, type)?.[1].outputs);
  item.outputs = {
    ...without(item.outputs, ["ipv4Address", "ipv6Address", "ipv6Network"]),
    ...(ipv4 === undefined ? {} : { ipv4Address: ipv4["ipAddress"] }),
    // A server answers at the first address of its network.
    ...(ipv6 === undefined ? {} : { ipv6Address: `${String(ipv6["ipAddress"])}1`, ipv6Network: ipv6["ipNetwork"] }),
  };
}
