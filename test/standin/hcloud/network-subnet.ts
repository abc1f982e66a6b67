import * as z from "zod";

import type { Account } from "../account.ts";
import { previewable } from "../inputs.ts";
import type { Kind } from "../provider.ts";
import type { Item, Records } from "../world.ts";
import { addressAt, contains, findRange, isStart, type Range } from "./addresses.ts";
import { refusal } from "./errors.ts";
import { findItem, getItem, itemsOf } from "./items.ts";

const NetworkSubnet = z.strictObject({
  networkId: z.int(),
  type: z.enum(["cloud", "server"]),
  networkZone: z.string(),
  ipRange: z.string(),
  vswitchId: z.never("the stand-in has no vSwitches").optional(),
});

const Subnets = z.array(NetworkSubnet.extend({ gateway: z.string() }));

const TYPE = "NetworkSubnet";
const ZONES = ["eu-central", "us-east", "us-west", "ap-southeast"];

/** Not a thing of its own: a network lists its subnets, and an id is made of the network's and the range. */
export function networkSubnet(account: Account): Kind {
  return {
    inputs: previewable(NetworkSubnet),
    replace: ["networkId", "type", "networkZone", "ipRange"],
    computed: ["gateway"],
    create: async (props, { signal }) => {
      const inputs = NetworkSubnet.parse(props);
      const { networkId, ipRange, networkZone } = inputs;
      const create = (records: Records) => {
        const network = getItem(records, "Network", networkId);
        const range = readRange(ipRange);
        if (!ZONES.includes(networkZone)) refuse("network_zone", `unknown network zone "${networkZone}"`);
        if (!isStart(range) || !contains(readRange(String(network.inputs["ipRange"])), range))
          refuse("ip_range", "must be the start of a range in the network's");
        const subnets = Subnets.parse(network.outputs["subnets"]);
        if (subnets.some((other) => contains(readRange(other.ipRange), range) || contains(range, readRange(other.ipRange))))
          throw refusal("invalid_input", "ip_range overlaps with another subnet of the network");
        const gateway = addressAt(readRange(String(network.inputs["ipRange"])), 1);
        network.outputs["subnets"] = [...subnets, { ...inputs, gateway }];
        return { id: `${networkId}-${ipRange}`, outputs: { ...props, gateway } };
      };
      return await account.call({ on: "create", type: TYPE, name: ipRange }, create, { signal });
    },
    read: (id) =>
      account.call({ on: "read", type: TYPE, name: id }, (records) => {
        const found = findSubnets(records, Number(id.split("-")[0])).find((each) => each.id === id);
        if (found === undefined) return undefined;
        const { gateway, ...inputs } = found.subnet;
        return { inputs, outputs: { ...inputs, gateway } };
      }),
    delete: async (id, _olds, { signal }) => {
      const remove = (records: Records): void => {
        const network = findItem(records, "Network", id.split("-")[0] ?? "");
        // With servers in it the API refuses, and the provider leaves it to the deletion of the network.
        if (network === undefined || itemsOf(records, "Server").some(([, server]) => isIn(server, id))) return;
        network.outputs["subnets"] = Subnets.parse(network.outputs["subnets"]).filter(({ networkId, ipRange }) => `${networkId}-${ipRange}` !== id);
      };
      await account.call({ on: "delete", type: TYPE, name: id }, remove, { signal });
    },
  };
}

/** The subnets of a network, with their ids. */
export function findSubnets(records: Records, network: number): { id: string; subnet: z.output<typeof Subnets>[number]; range: Range }[] {
  const subnets = Subnets.parse(findItem(records, "Network", network)?.outputs["subnets"] ?? []);
  return subnets.map((subnet) => ({ id: `${subnet.networkId}-${subnet.ipRange}`, subnet, range: readRange(subnet.ipRange) }));
}

function isIn({ outputs }: Item, subnet: string): boolean {
  const [network, range] = [Number(subnet.split("-")[0]), readRange(subnet.slice(subnet.indexOf("-") + 1))];
  const joined = z
    .array(z.looseObject({ networkId: z.number(), ip: z.string() }))
    .default([])
    .parse(outputs["networks"]);
  return joined.some((each) => each.networkId === network && contains(range, readRange(each.ip)));
}

function readRange(text: string): Range {
  return findRange(text) ?? refuse("ip_range", `invalid CIDR address: ${text}`);
}

function refuse(field: string, words: string): never {
  throw refusal("invalid_input", `invalid input in field '${field}': [${field} => [${words}]]`);
}
