import { quoted } from "../lib/prose.ts";
import type { EngineAccount, EngineStep } from "./comparison.ts";
import { renderSteps } from "./engine-steps.ts";
import { FATES, tellFates } from "./figures.ts";
import { renderTable, toMarkdown } from "./markdown.ts";

/** A certificate that ends soon, or of which nobody can tell. */
export interface EndingCertificate {
  name: string;
  /** `2041-11-26`, or what was found where a date should be. */
  on: string;
  /** Whole days from now; negative when it has ended. Absent: its end cannot be read. */
  days: number | undefined;
}

export interface DriftArgs {
  stack: string;
  /** Of a preview that refreshed first. */
  engine: EngineAccount;
  certificates: readonly EndingCertificate[];
}

/** Where the world is not what the repository says, for an issue on GitHub. Empty when it is. */
export function renderDrift({ stack, engine, certificates }: DriftArgs): string {
  const parts = [
    ...(engine.isComplete ? [] : [UNFINISHED]),
    ...(engine.steps.length === 0 ? [] : tellSteps(stack, engine)),
    ...certificates.flatMap(tellEnding),
  ];
  return parts.length === 0 ? "" : `${parts.join("\n").trimEnd()}\n`;
}

const UNFINISHED = "**The look did not get to its end, so nobody knows all that differs.** Its log says why.\n";

function tellSteps(stack: string, { shares, steps }: EngineAccount): string[] {
  const down = steps.filter(isDown).map(({ name }) => name);
  const rows = shares.map((share) => [share.owner, ...FATES.map((fate) => `${share[fate] || ""}`)]);
  return [
    toMarkdown(`**What runs as ${quoted(stack)} is not what the repository says.** An update would put it right: ${tellFates(shares)}.`).replaceAll("\\*", "*"),
    ...(down.length === 0 ? [] : ["", `**Not running: ${down.map((name) => toMarkdown(quoted(name))).join(", ")}.**`]),
    "",
    "Either somebody changed something past the repository, or something was merged and not deployed. To have the repository's way, run the workflow _deploy_ with",
    "_repair_; without, it does not look at the world. To keep what was changed, write it into the repository.",
    "",
    ...renderTable(["resources of", ...FATES], rows),
    "",
    ...renderSteps(steps),
    "",
  ];
}

/** A gateway or a Caddy that is not there, or has stopped: the engine wants containers of that kind to run. */
function isDown({ type, name, fate, inputs }: EngineStep): boolean {
  return type === "docker:Container" && /-(gateway|edge)$/.test(name) && (fate === "created" || inputs.includes("mustRun"));
}

function tellEnding({ name, on, days }: EndingCertificate): string[] {
  const end =
    days === undefined
      ? `has an end that cannot be read, ${quoted(on)}`
      : days < 0
        ? `ended on ${on}`
        : `ends on ${on}, in ${days} day${days === 1 ? "" : "s"}`;
  return [`${toMarkdown(`The certificate ${quoted(name)} ${end}.`)} docs/production.md has the way to a new one, under _Renew the origin certificate_.`, ""];
}
