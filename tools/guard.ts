import { readFileSync } from "node:fs";

import { parsePreview } from "../plan/preview.ts";

/**
 * Refuses an engine's preview that would replace or delete something protected, unless that is allowed, or that did not get to its end. Names what
 * it is about, and gives the exit code.
 */
export function guard(file: string, isAllowed: boolean): number {
  const { guarded, account } = parsePreview(readFileSync(file, "utf8"));
  const lines = [
    ...guarded.map((text) => `${text.replaceAll("`", '"')}${isAllowed ? ": allowed" : ""}`),
    ...(account.isComplete ? [] : ["the preview did not get to its end; its log says why"]),
  ];
  process.stdout.write(lines.length === 0 ? "nothing protected is replaced or deleted\n" : `${lines.join("\n")}\n`);
  return account.isComplete && (isAllowed || guarded.length === 0) ? 0 : 1;
}
