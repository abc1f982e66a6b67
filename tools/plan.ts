import { UserError } from "../lib/errors.ts";
import { MistakesError } from "../lib/mistakes.ts";
import { compareVersions, type ProgramChange } from "../plan/compare.ts";
import { NO_PREVIEW, parsePreview, type Preview, withPreview } from "../plan/preview.ts";
import { PRICES_SEEN } from "../plan/server-types.ts";
import { after, asItIs, planVersion, type VersionInput } from "../plan/version.ts";
import { refusePlainSecrets } from "../stack/stack-file.ts";
import { hasStack, readVersion } from "../stack/version.ts";
import { type Refusal, renderComment, renderIncomparable, renderRefusal } from "../templates/comment.ts";
import type { Comparison } from "../templates/comparison.ts";
import { renderIncomparableText, renderPlanText } from "../templates/plan-text.ts";
import { findBase, findProgramChanges, withFilesOf } from "./base.ts";
import { renderByProgram } from "./base-program.ts";
import { readGiven } from "./given-file.ts";

export interface PlanArgs {
  projectDir: string;
  stack: string;
  /** A commit, branch or tag. Default: origin/main, else main. */
  base?: string | undefined;
  form: "json" | "markdown" | "text";
  /** File with what `pulumi preview --json` printed. */
  preview?: string | undefined;
}

/** What came of it. */
type Outcome = { kind: "compared"; comparison: Comparison; engine: Preview | undefined } | { kind: "incomparable" | "refused"; error: UserError };

/** Says what the list and the settings in a folder come to after those of a commit. Asks no account, no engine and no host. */
export async function plan(args: PlanArgs): Promise<{ text: string; exitCode: number }> {
  const { name: base, commit } = await findBase(args.projectDir, args.base);
  const outcome = await withFilesOf(args.projectDir, commit, async (dir) => await compare(args, dir, commit));
  if (args.form === "text" && outcome.kind === "refused") throw outcome.error;
  return { text: render(args, base, outcome), exitCode: outcome.kind === "refused" ? 1 : 0 };
}

async function compare({ projectDir, stack, preview }: PlanArgs, dir: string, commit: string): Promise<Outcome> {
  const earlier = await attempted(async () => (hasStack(dir, stack) ? await readVersion(dir, stack) : undefined));
  const before = await attempted(() => (earlier.value === undefined ? undefined : planVersion(asItIs(earlier.value))));
  const later = await attempted(async () => {
    refusePlainSecrets(projectDir, stack);
    return planVersion(after(await readVersion(projectDir, stack), earlier.value));
  });
  if (later.value === undefined) return { kind: "refused", error: later.error };
  const error = earlier.error ?? before.error;
  if (error !== undefined) return { kind: "incomparable", error };
  const program = await readProgram(projectDir, dir, commit, earlier.value);
  const comparison = compareVersions({ before: before.value, after: later.value, program });
  const engine = preview === undefined ? undefined : await readPreview(preview);
  return { kind: "compared", comparison: engine === undefined ? comparison : withPreview(comparison, engine), engine };
}

/** What it gives, or the operator's mistake that it met. */
async function attempted<T>(work: () => Promise<T> | T): Promise<{ value: T; error?: undefined } | { value?: undefined; error: UserError }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof UserError) return { error };
    throw error;
  }
}

async function readProgram(projectDir: string, dir: string, commit: string, earlier: VersionInput | undefined): Promise<ProgramChange> {
  const files = await findProgramChanges(projectDir, commit);
  return { files, configFiles: files.length === 0 || earlier === undefined ? undefined : await renderByProgram(dir, asItIs(earlier)) };
}

/** An engine that stopped before it printed anything has told nothing, and the reviewer is told so. */
async function readPreview(file: string): Promise<Preview> {
  const text = readGiven(file);
  return (await attempted(() => parsePreview(text))).value ?? NO_PREVIEW;
}

function render({ stack, form }: PlanArgs, base: string, outcome: Outcome): string {
  const args = { stack, base, pricesSeen: PRICES_SEEN };
  const { kind } = outcome;
  if (kind === "compared") {
    const { comparison, engine } = outcome;
    if (form === "json") return toJson({ outcome: kind, base, ...comparison, ...(engine === undefined ? {} : { engine }) });
    return form === "markdown" ? renderComment(args, comparison, engine?.account) : renderPlanText(args, comparison, engine?.account);
  }
  const refusal = toRefusal(outcome.error);
  if (form === "json") return toJson({ outcome: kind, base, stack, ...refusal });
  if (form === "markdown") return kind === "refused" ? renderRefusal(args, refusal) : renderIncomparable(args, refusal);
  return renderIncomparableText(args, outcome.error.message);
}

function toRefusal(error: UserError): Refusal {
  return error instanceof MistakesError
    ? { what: error.what, mistakes: error.mistakes, hint: error.hint }
    : { what: error.message, mistakes: [], hint: error.hint };
}

function toJson(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
