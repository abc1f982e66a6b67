import { readFileSync } from "node:fs";

import { parseErrors } from "../plan/engine-steps.ts";

/** Prints what stopped an engine's preview; nothing when it got to its end. Throws a UserError when the engine stopped before it printed anything. */
export function showErrors(file: string): number {
  const errors = parseErrors(readFileSync(file, "utf8"));
  process.stdout.write(errors.map((text) => `${text.trimEnd()}\n`).join(""));
  return 0;
}
