import { quoted } from "../lib/prose.ts";
import type { EngineShare, HostChange, HostUse } from "./comparison.ts";

/** A value of a field, or that it has none. */
export function tellValue(text: string | undefined): string {
  return text === undefined ? "not set" : quoted(text);
}

/** What a host holds and costs: each figure before and after where it changes, and of a host that comes or goes the only ones there are. */
export function tellUse({ before, after }: Pick<HostChange, "after" | "before">): { tenants: string; used: string; free: string; eur: string } {
  const figure = (of: (use: HostUse) => string): string => {
    const [was, is] = [before ?? after, after ?? before].map((use) => (use === undefined ? "" : of(use)));
    return turn(was, is);
  };
  const cost = (use: HostUse | undefined): string => (use === undefined ? "0.00" : (use.eur?.toFixed(2) ?? "unknown"));
  return {
    tenants: figure(({ active, suspended }) => (suspended === 0 ? `${active}` : `${active} and ${suspended} suspended`)),
    used: `${figure(({ usedMb }) => toGib(usedMb))} of ${figure(({ roomMb }) => toGib(roomMb))}`,
    free: figure(({ usedMb, roomMb }) => toGib(roomMb - usedMb)),
    eur: turn(cost(before), cost(after)),
  };
}

/** A host with its machine. */
export function nameHost({ id, machine, before, after }: HostChange): string {
  return `${quoted(id)} ${before === undefined ? "new: " : after === undefined ? "goes: " : ""}${machine}`;
}

function turn(was = "", is = ""): string {
  return was === is ? is : `${was} → ${is}`;
}

function toGib(memoryMb: number): string {
  return (memoryMb / 1024).toFixed(1);
}

/** All hosts as if they were one. Prices that nobody knows are left out. */
export function addUp(hosts: readonly HostChange[]): Pick<HostChange, "after" | "before"> {
  const total = (uses: readonly HostUse[]): HostUse => {
    const sum = (of: (use: HostUse) => number): number => uses.reduce((so, use) => so + of(use), 0);
    const [active, suspended, usedMb, roomMb] = [sum((use) => use.active), sum((use) => use.suspended), sum((use) => use.usedMb), sum((use) => use.roomMb)];
    return { active, suspended, usedMb, roomMb, eur: uses.some(({ eur }) => eur !== undefined) ? sum(({ eur = 0 }) => eur) : undefined };
  };
  return { before: total(hosts.flatMap(({ before }) => before ?? [])), after: total(hosts.flatMap(({ after }) => after ?? [])) };
}

/** Columns of what becomes of resources. `kept`: given up, and left where it is. */
export const FATES = ["created", "updated", "replaced", "deleted", "kept"] as const satisfies readonly (keyof EngineShare)[];

/** "12 created, 2 replaced". */
export function tellFates(shares: readonly EngineShare[]): string {
  const parts = FATES.map((fate) => [shares.reduce((sum, share) => sum + share[fate], 0), fate] as const);
  return (
    parts
      .filter(([number]) => number > 0)
      .map(([number, fate]) => `${number} ${fate}`)
      .join(", ") || "nothing changes"
  );
}
