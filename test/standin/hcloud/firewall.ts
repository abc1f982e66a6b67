import * as z from "zod";

import type { Account } from "../account.ts";
import type { FirewallRule } from "../machine.ts";
import type { Kind } from "../provider.ts";
import type { Records } from "../world.ts";
import { findRange, isStart } from "./addresses.ts";
import { refusal } from "./errors.ts";
import { serveItems } from "./item-kind.ts";
import { getItem, itemsOf, Labels, Name } from "./items.ts";
import { type Effect, OPEN } from "./machines.ts";

const Ip = z.string().superRefine((text, context) => {
  const range = findRange(text);
  if (range === undefined) context.addIssue(`invalid CIDR address: ${text}`);
  else if (!isStart(range)) context.addIssue(`${text} is not the start of its cidr block`);
});

const Rule = z.strictObject({
  direction: z.enum(["in", "out"]),
  protocol: z.enum(["tcp", "udp", "icmp", "esp", "gre"]),
  port: z.string().optional(),
  sourceIps: z.array(Ip).default([]),
  destinationIps: z.array(Ip).default([]),
  description: z.string().optional(),
});

const Firewall = z.strictObject({
  name: Name,
  labels: Labels.optional(),
  rules: z.array(Rule).optional(),
  applyTos: z.never("the stand-in knows firewalls by the servers' firewallIds alone").optional(),
});

export function firewall(account: Account): Kind {
  return serveItems(account, {
    type: "Firewall",
    noun: "firewall",
    inputs: Firewall,
    replace: [],
    deleteBeforeReplace: true,
    computed: ["applyTos"],
    make: (_records, _item, { rules = [] }) => {
      refuseBadRules(rules);
      return [];
    },
    change: (records, item, { id, news: { rules = [] }, olds }) => {
      refuseBadRules(rules);
      // The provider sends no rules where there are none, so the last ones stay.
      if (rules.length === 0 && olds["rules"] !== undefined) item.inputs = { ...item.inputs, rules: olds["rules"] };
      return serversBehind(records, id).map((server) => guard(records, server));
    },
    remove: (records, _item, id) => {
      const behind = serversBehind(records, id);
      for (const server of behind) getItem(records, "Server", server).outputs["firewallIds"] = firewallsOf(records, server).filter((each) => each !== id);
      return behind.map((server) => guard(records, server));
    },
    see: seeFirewall,
  });
}

/** Where a firewall applies. */
export function seeFirewall(records: Records, id: number): { applyTos: { server: number }[] } {
  return { applyTos: serversBehind(records, id).map((server) => ({ server })) };
}

/** What a server's firewalls let through together. */
export function rulesOf(records: Records, firewallIds: readonly number[]): FirewallRule[] {
  if (firewallIds.length === 0) return [...OPEN];
  const rules = firewallIds.flatMap((id) => Firewall.parse(getItem(records, "Firewall", id).inputs).rules ?? []);
  return rules.flatMap(({ direction, protocol, port, sourceIps }) =>
    protocol === "esp" || protocol === "gre" ? [] : [{ direction, protocol, ...(port === undefined ? {} : { port }), sourceIps }],
  );
}

/** Puts a server behind the rules that it has now. */
export function guard(records: Records, server: number): Effect {
  const { name } = getItem(records, "Server", server);
  const rules = rulesOf(records, firewallsOf(records, server));
  return (machines, world) => machines.setFirewall(world, name, rules);
}

/** Whatever the API refuses in rules; the plug-in looks at single values only. */
function refuseBadRules(rules: readonly z.output<typeof Rule>[]): void {
  const refuse = (index: number, field: string, words: string): never => {
    throw refusal("invalid_input", `invalid input in field 'rules': [rules[${index}].${field} => [${words}]]`);
  };
  if (rules.length > 50) throw refusal("invalid_input", `invalid input in field 'rules': [rules => [more than 50 rules]]`);
  for (const [index, { direction, protocol, port, sourceIps, destinationIps }] of rules.entries()) {
    const hasPort = protocol === "tcp" || protocol === "udp";
    if (hasPort && !/^(any|\d{1,5}(-\d{1,5})?)$/.test(port ?? "")) refuse(index, "port", "is required, as 80, 80-85 or any");
    if (!hasPort && port !== undefined) refuse(index, "port", `must not be set for ${protocol}`);
    const [given, other] = direction === "in" ? [sourceIps, destinationIps] : [destinationIps, sourceIps];
    if (given.length === 0 || given.length > 100) refuse(index, direction === "in" ? "source_ips" : "destination_ips", "must have 1 to 100 ranges");
    if (other.length > 0) refuse(index, direction === "in" ? "destination_ips" : "source_ips", `must be empty for direction ${direction}`);
  }
}

function firewallsOf(records: Records, server: number): number[] {
  return z.array(z.number()).parse(getItem(records, "Server", server).outputs["firewallIds"]);
}

function serversBehind(records: Records, firewall: number): number[] {
  return itemsOf(records, "Server").flatMap(([id]) => (firewallsOf(records, id).includes(firewall) ? [id] : []));
}
