import type { Account } from "../account.ts";
import type * as machine from "../machine.ts";

/** What turns records into servers to log in to. */
export type Machines = Pick<
  typeof machine,
  "createMachine" | "destroyMachine" | "powerCycle" | "setFirewall" | "createVolume" | "growVolume" | "destroyVolume" | "attachVolume" | "detachVolume"
>;

/** What a call does to real machines, once the records have it. */
export type Effect = (machines: Machines, world: string) => Promise<void>;

/** Runs effects one after another; where servers are records only, there are none. */
export async function runEffects({ machines, world }: Account, effects: readonly Effect[]): Promise<void> {
  if (machines === undefined) return;
  for (const effect of effects) await effect(machines, world);
}

/** What a server without a firewall lets in. */
export const OPEN: readonly machine.FirewallRule[] = (["tcp", "udp", "icmp"] as const).map((protocol) => ({
  direction: "in",
  protocol,
  ...(protocol === "icmp" ? {} : { port: "any" }),
  sourceIps: ["0.0.0.0/0", "::/0"],
}));
