import { quoted } from "../lib/prose.ts";
import type { CommentArgs } from "./comment.ts";
import type { Comparison, EngineAccount, FieldChange } from "./comparison.ts";
import { nameHost, tellFates, tellUse, tellValue } from "./figures.ts";

/** A comparison for a terminal. */
export function renderPlanText({ stack, base }: Omit<CommentArgs, "pricesSeen">, comparison: Comparison, engine?: EngineAccount): string {
  const { summary, warnings, tenants, hosts, settings } = comparison;
  return toText([
    `Plan of ${stack}, compared with ${base}`,
    "",
    ...summary,
    ...section(
      "Look out",
      warnings.map(({ level, text }) => `${level === "danger" ? "!! " : ""}${text}`),
    ),
    ...section(
      "Tenants",
      tenants.flatMap(({ id, name, what, fields }) => [`${id} (${quoted(name)}) ${what}`, ...fields.map((field) => `  ${turn(field)}`)]),
    ),
    ...section("Settings", settings.map(turn)),
    ...section(
      "Hosts",
      hosts.map((host) => {
        const { tenants: number, used, free, eur } = tellUse(host);
        return `${nameHost(host)}: tenants ${number}, GiB in use ${used}, free ${free}, EUR a month ${eur}`;
      }),
    ),
    ...(engine === undefined
      ? []
      : section(
          "The engine's own account",
          engine.shares.map((share) => `${share.owner}: ${tellFates([share])}`),
        )),
  ]);
}

/** What is said of a sound list when there is nothing sound to compare it with. */
export function renderIncomparableText({ base }: Pick<CommentArgs, "base">, why: string): string {
  return toText([`An update would take this. What it changes cannot be told, because what stands in ${base} cannot be read by this version:`, why]);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function turn({ field, before, after }: FieldChange): string {
  return `${field}: ${tellValue(before)} → ${tellValue(after)}`;
}

/** On a terminal values need no marks. */
function toText(lines: readonly string[]): string {
  return `${lines.join("\n").replaceAll("`", "")}\n`;
}
