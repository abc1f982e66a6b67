import { UserError } from "../lib/errors.ts";
import { parsePreview } from "../plan/preview.ts";
import { readGiven } from "./given-file.ts";

/** Names everything protected that an engine's preview would replace or delete, a line each, and gives the exit code. Throws a UserError when it did not get to its end. */
export function guard(file: string): number {
  const { guarded, account } = parsePreview(readGiven(file));
  if (!account.isComplete) throw new UserError("the preview did not get to its end", { hint: "its log says why" });
  process.stdout.write(guarded.map((text) => `${text.replaceAll("`", '"')}\n`).join(""));
  if (guarded.length === 0) process.stderr.write("nothing protected is replaced or deleted\n");
  return guarded.length === 0 ? 0 : 1;
}
