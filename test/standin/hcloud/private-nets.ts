import * as z from "zod";

import { count, type Records } from "../world.ts";
import { addressAt, contains, findRange, type Range } from "./addresses.ts";
import { refusal } from "./errors.ts";
import { getItem, itemsOf } from "./items.ts";
import { findSubnets } from "./network-subnet.ts";

export const PrivateNet = z.strictObject({
  networkId: z.int().optional(),
  /** As NetworkSubnet's id: `1003-10.0.1.0/24`. */
  subnetId: z.string().optional(),
  ip: z.ipv4().optional(),
  /** The plug-in fills it in, or a server would join anew with every update. */
  aliasIps: z.array(z.string()).default([]),
  macAddress: z.never("the API gives it out").optional(),
});

const Joined = z.array(z.looseObject({ networkId: z.number(), ip: z.string() })).default([]);

/** Puts a server into private networks, and out of all others. It keeps the addresses that it has. */
export function joinNetworks(records: Records, id: number, nets: readonly z.output<typeof PrivateNet>[] = []): void {
  const { outputs } = getItem(records, "Server", id);
  const before = Joined.parse(outputs["networks"]);
  const joined = nets.map((net) => {
    const network = net.networkId ?? Number(net.subnetId?.split("-")[0]);
    if (Number.isNaN(network)) throw new Error("must specify either network_id or subnet_id");
    getItem(records, "Network", network);
    const subnets = findSubnets(records, network).filter(({ id: subnet }) => net.subnetId === undefined || subnet === net.subnetId);
    const [subnet] = subnets;
    if (subnet === undefined) throw refusal("no_subnet_available", `no subnet or IP is available in network ${network}`);
    const old = before.find((each) => each.networkId === network && (net.ip ?? each.ip) === each.ip);
    return { ...net, networkId: network, ip: old?.ip ?? takeIp(records, network, subnet.range, net.ip), macAddress: old?.["macAddress"] ?? nextMac(records) };
  });
  for (const { networkId } of joined) {
    const isDouble = joined.filter((each) => each.networkId === networkId).length > 1;
    if (isDouble) throw new Error(`server is only allowed to be attached to each network once: ${networkId}`);
  }
  if (joined.length > 0) outputs["networks"] = joined;
  else delete outputs["networks"];
}

function takeIp(records: Records, network: number, range: Range, wanted: string | undefined): string {
  const taken = itemsOf(records, "Server").flatMap(([, { outputs }]) =>
    Joined.parse(outputs["networks"]).flatMap((each) => (each.networkId === network ? [each.ip] : [])),
  );
  // The first address is the gateway's.
  const ip = wanted ?? [...Array(250).keys()].map((offset) => addressAt(range, offset + 2)).find((each) => !taken.includes(each));
  const address = ip === undefined ? undefined : findRange(ip);
  if (ip === undefined || address === undefined || taken.includes(ip)) throw refusal("ip_not_available", `IP ${ip ?? ""} is not available`);
  if (!contains(range, address)) throw new Error(`server IP (${ip}) is outside subnet IP range`);
  return ip;
}

function nextMac(records: Records): string {
  return `86:00:00:00:${(count(records, "mac") + 0x1_0000)
    .toString(16)
    .slice(1)
    .replace(/..(?=.)/, "$&:")}`;
}
