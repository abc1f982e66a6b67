import { parseErrors } from "../plan/engine-steps.ts";
import { readGiven } from "./given-file.ts";

/** Prints what stopped an engine's preview; nothing when it got to its end. Throws a UserError when the engine stopped before it printed anything. */
export function showErrors(file: string): number {
  const errors = parseErrors(readGiven(file));
  process.stdout.write(errors.map((text) => `${text.trimEnd()}\n`).join(""));
  return 0;
}
