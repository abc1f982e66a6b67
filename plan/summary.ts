import { conjoin, conjoinQuoted, count, quoted } from "../lib/prose.ts";
import type { FieldChange, HostChange, HostUse, TenantChange } from "../templates/comparison.ts";

/** Names that a sentence takes. */
const MOST = 5;

/** What each kind of change is called. */
const VERBS: Readonly<Record<TenantChange["kind"], string>> = {
  added: "adds",
  moved: "moves",
  changed: "edits",
  suspended: "suspends",
  resumed: "resumes",
  removed: "removes",
};

export interface SummaryArgs {
  stack: string;
  tenants: readonly TenantChange[];
  /** What happens to hosts, and to what all share. */
  deeds: readonly string[];
  settings: readonly FieldChange[];
  hosts: readonly HostChange[];
  /** Ids of those who are down for a while. */
  interrupted: readonly string[];
}

/** What happens, who is interrupted, what it costs: a sentence each. */
export function summarize(args: SummaryArgs): string[] {
  const { stack, tenants, deeds, settings, hosts, interrupted } = args;
  const verbs = Object.entries(VERBS).flatMap(([kind, verb]) => {
    const ids = tenants.filter((each) => each.kind === kind).map(({ id }) => id);
    return ids.length === 0 ? [] : [`${verb} ${conjoinQuoted(ids, MOST)}`];
  });
  const named = settings.length > 3 ? count(settings.length, "setting") : conjoinQuoted(settings.map(({ field }) => field));
  const all = [...verbs, ...deeds, ...(settings.length === 0 ? [] : [`sets ${named}`])];
  if (all.length === 0) return [`Nothing that runs in ${quoted(stack)} changes.`];
  return [`This change ${conjoin(all)}.`, tellInterrupted(interrupted, hosts), ...tellCost(hosts)];
}

/** Who is interrupted, in a sentence. */
export function tellInterrupted(ids: readonly string[], hosts: readonly HostChange[]): string {
  const running = hosts.reduce((sum, { before }) => sum + (before?.active ?? 0), 0);
  if (ids.length === 0) return "Nobody else is interrupted.";
  if (ids.length === running && running > 1) return `All ${running} who run are interrupted.`;
  return `${conjoinQuoted(ids, MOST)} ${ids.length === 1 ? "is" : "are"} interrupted, nobody else.`;
}

/** The sum over hosts whose price is known. */
function totalCost(hosts: readonly HostChange[], when: "after" | "before"): number | undefined {
  const known = hosts.flatMap((host) => host[when]?.eur ?? []);
  return known.length === 0 ? undefined : Math.round(known.reduce((sum, eur) => sum + eur, 0) * 100) / 100;
}

function tellCost(hosts: readonly HostChange[]): string[] {
  const [before, after = 0] = [totalCost(hosts, "before"), totalCost(hosts, "after")];
  if (before === undefined && after === 0) return [];
  const isWhole = (use: HostUse | undefined): boolean => use === undefined || use.eur !== undefined;
  const what = hosts.every((host) => isWhole(host.before) && isWhole(host.after)) ? "The fleet" : "What has a known price";
  const cost = `${what} costs ${after.toFixed(2)}`;
  if (before === undefined) return [`${cost} EUR a month.`];
  return [before === after ? `${cost} EUR a month, as before.` : `${cost} EUR a month instead of ${before.toFixed(2)}.`];
}
