import type { EngineStep, Fate } from "./comparison.ts";

/** Steps that are shown one by one. */
const MOST_STEPS = 300;

/** GitHub colours a line by its first character. */
const SIGNS: Readonly<Record<Fate, string>> = { created: "+", deleted: "-", replaced: "!", updated: "!" };

/** The engine's own diff, a resource a line, as a block of code. */
export function renderSteps(steps: readonly EngineStep[]): string[] {
  const rest = steps.length - MOST_STEPS;
  return ["```diff", ...steps.slice(0, MOST_STEPS).map(renderStep), ...(rest > 0 ? [`  and ${rest} more`] : []), "```"];
}

function renderStep({ fate, type, name, inputs, isKept, hasDirectory }: EngineStep): string {
  const rest = hasDirectory && (fate === "deleted" || fate === "replaced") ? "; its directory stays" : "";
  const how = isKept ? "given up, stays behind" : `${fate}${inputs.length === 0 ? "" : `: ${inputs.join(", ")}`}${rest}`;
  // Nothing in a name may end the block.
  return `${SIGNS[fate]} ${type} ${name} (${how})`.replaceAll(/[`\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ");
}
