import { count, quoted } from "../lib/prose.ts";
import type { Comparison, EngineAccount, FieldChange, HostChange, TenantChange } from "./comparison.ts";
import { renderSteps } from "./engine-steps.ts";
import { addUp, FATES, nameHost, tellFates, tellUse, tellValue } from "./figures.ts";
import { renderTable, toMarkdown, toProse } from "./markdown.ts";

/** Characters that GitHub takes in a comment (65,536), less what says that some are missing. */
const MOST = 65_000;
/** Characters of one mistake. */
const MOST_OF_MISTAKE = 1_000;
/** Fields of one tenant. */
const MOST_FIELDS = 12;

/** What a plan alone cannot know, and who can. */
const UNASKED = " without asking any account: what is sold out, and what removed tenants left behind, only the engine's preview tells";
const ASKED = "; the engine alone has asked the accounts";

export interface CommentArgs {
  stack: string;
  /** What it is compared with, as it was named. */
  base: string;
  /** When the prices were last seen, `2026-10-02`. */
  pricesSeen: string;
}

/** What has mistakes, and which. */
export interface Refusal {
  /** `the tenants list of stack "prod"`, or a whole sentence when no mistakes follow. */
  what: string;
  mistakes: readonly string[];
  /** The way out, where there is one for all. */
  hint: string | undefined;
}

/** A comparison as a comment on GitHub. Equal input gives equal bytes. */
export function renderComment({ stack, base, pricesSeen }: CommentArgs, comparison: Comparison, engine?: EngineAccount): string {
  const { summary, warnings, tenants, hosts, settings } = comparison;
  const texts = (level: "danger" | "notice"): string[] => warnings.filter((each) => each.level === level).map(({ text }) => text);
  const rows = [...hosts.map((host) => hostRow(nameHost(host), host)), ...(hosts.length < 2 ? [] : [hostRow("all", addUp(hosts))])];
  return finish([
    ...head(`Plan of ${quoted(stack)}`, stack),
    summary.map(toMarkdown).join(" "),
    "",
    ...alert("CAUTION", texts("danger")),
    ...alert("WARNING", texts("notice")),
    ...section("Tenants", renderTenants(tenants)),
    ...section("Settings", settings.length === 0 ? [] : renderTable(["setting", "before", "after"], settings.map(settingRow))),
    ...section("Hosts", renderTable(["host", "tenants", "GiB in use", "GiB free", "EUR a month"], rows)),
    ...(engine === undefined ? [] : renderEngine(engine)),
    `<sub>${toMarkdown(`Compared with ${quoted(base)}${engine?.isComplete === true ? ASKED : UNASKED}. Prices are net, for new orders, seen on ${pricesSeen}.`)}</sub>`,
  ]);
}

/** What is said of a list that no update would take. */
export function renderRefusal({ stack }: Pick<CommentArgs, "stack">, refusal: Refusal): string {
  return finish([
    ...head(`Plan of ${quoted(stack)}: refused`, stack),
    "An update would refuse this and change nothing. What it would do can be told once it is put right.",
    "",
    ...alertOf("CAUTION", refusal),
  ]);
}

/** What is said of a sound list when there is nothing sound to compare it with. */
export function renderIncomparable({ stack, base }: Pick<CommentArgs, "base" | "stack">, refusal: Refusal): string {
  return finish([
    ...head(`Plan of ${quoted(stack)}: nothing to compare with`, stack),
    toMarkdown(`An update would take this. What it changes cannot be told, because what stands in ${quoted(base)} cannot be read by this version.`),
    "",
    ...alertOf("WARNING", refusal),
  ]);
}

/** The first line finds the comment of an earlier run, so that it is edited in place. */
function head(title: string, stack: string): string[] {
  return [`<!-- openclaw-tenants plan ${stack} -->`, `### ${toMarkdown(title)}`, ""];
}

function alert(kind: "CAUTION" | "WARNING", texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : [`> [!${kind}]`, ...texts.map((text) => `> - ${toMarkdown(text)}`), ""];
}

function alertOf(kind: "CAUTION" | "WARNING", { what, mistakes, hint }: Refusal): string[] {
  const title = mistakes.length === 0 ? what : `${what} has ${count(mistakes.length, "mistake")}:`;
  const tell = (text: string): string => toMarkdown(toProse(shorten(text.replaceAll("\n", " "))));
  return [`> [!${kind}]`, `> ${tell(title)}`, ...mistakes.map((text) => `> - ${tell(text)}`), ...(hint === undefined ? [] : [">", `> ${tell(hint)}`]), ""];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`**${title}**`, "", ...lines, ""];
}

function renderTenants(tenants: readonly TenantChange[]): string[] {
  if (tenants.length === 0) return [];
  const rows = tenants.map(tenantRow);
  const width = rows.some(([, , fields]) => fields !== "") ? 3 : 2;
  return renderTable(
    ["tenant", "what happens", "fields"].slice(0, width),
    rows.map((cells) => cells.slice(0, width)),
  );
}

function tenantRow({ id, name, what, fields }: TenantChange): string[] {
  const shown = fields.slice(0, MOST_FIELDS).map(({ field, before, after }) => `${quoted(field)}: ${tellValue(before)} → ${tellValue(after)}`);
  const rest = fields.length - shown.length;
  return [`${quoted(id)} ${quoted(name)}`, what, [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join("\n")];
}

function settingRow({ field, before, after }: FieldChange): string[] {
  return [quoted(field), tellValue(before), tellValue(after)];
}

function hostRow(name: string, uses: Pick<HostChange, "after" | "before">): string[] {
  const { tenants, used, free, eur } = tellUse(uses);
  return [name, tenants, used, free, eur];
}

function renderEngine({ isComplete, shares, steps }: EngineAccount): string[] {
  const title = `The engine's own account: ${isComplete ? "" : "until it stopped, "}${tellFates(shares)}`;
  if (shares.length === 0) return [isComplete ? title : "The engine stopped before it had anything to tell.", ""];
  const rows = shares.map((share) => [share.owner, ...FATES.map((fate) => `${share[fate] || ""}`)]);
  return [`<details><summary>${title}</summary>`, "", ...renderTable(["resources of", ...FATES], rows), "", ...renderSteps(steps), "", "</details>", ""];
}

function shorten(text: string): string {
  return text.length <= MOST_OF_MISTAKE ? text : `${text.slice(0, MOST_OF_MISTAKE)}…`;
}

/** One text, of a length that GitHub takes. */
function finish(lines: readonly string[]): string {
  const whole = `${lines.join("\n")}\n`;
  if (whole.length <= MOST) return whole;
  const kept: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > MOST) break;
    kept.push(line);
  }
  const isOpen = kept.some((line) => line.startsWith("<details>")) && !kept.includes("</details>");
  const isInBlock = kept.lastIndexOf("```diff") > kept.lastIndexOf("```");
  return `${[...kept, ...(isInBlock ? ["```"] : []), ...(isOpen ? ["", "</details>"] : []), "", "**Cut here, because GitHub takes no more: `npm run plan` shows all of it.**"].join("\n")}\n`;
}
