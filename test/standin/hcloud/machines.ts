import type * as machine from "../machine.ts";

/** What a call does to real machines, once the records have it. */
export type Effect = (machines: typeof machine, world: string) => Promise<void>;

/** Runs effects one after another; where servers are records only, there are none. */
export async function runEffects(world: string, effects: readonly Effect[]): Promise<void> {
  if (effects.length === 0 || process.env["STANDIN_MACHINES"] !== "1") return;
  const machines = await import("../machine.ts");
  for (const effect of effects) await effect(machines, world);
}

/** What a server without a firewall lets in. */
export const OPEN: readonly machine.FirewallRule[] = (["tcp", "udp", "icmp"] as const).map((protocol) => ({
  direction: "in",
  protocol,
  ...(protocol === "icmp" ? {} : { port: "any" }),
  sourceIps: ["0.0.0.0/0", "::/0"],
}));
