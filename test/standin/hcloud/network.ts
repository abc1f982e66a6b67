import * as z from "zod";

import type { Account } from "../account.ts";
import type { Kind } from "../provider.ts";
import { contains, findRange, isStart } from "./addresses.ts";
import { refusal } from "./errors.ts";
import { serveItems } from "./item-kind.ts";
import { Labels, Name } from "./items.ts";

const Network = z.strictObject({
  name: Name,
  ipRange: z.cidrv4(),
  deleteProtection: z.boolean().default(false),
  exposeRoutesToVswitch: z.boolean().default(false),
  labels: Labels.optional(),
});

/** What a network may be cut from (RFC 1918). */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

export function network(account: Account): Kind {
  return serveItems(account, {
    type: "Network",
    noun: "network",
    inputs: Network,
    replace: ["ipRange"],
    deleteBeforeReplace: true,
    make: (_records, item, { ipRange }) => {
      const range = findRange(ipRange);
      const isPrivate = range !== undefined && PRIVATE.some((each) => contains(findRange(each) ?? range, range));
      if (range === undefined || !isStart(range) || !isPrivate)
        throw refusal("invalid_input", "invalid input in field 'ip_range': [ip_range => [must be the start of a private range]]");
      item.outputs = { subnets: [] };
      return [];
    },
  });
}
