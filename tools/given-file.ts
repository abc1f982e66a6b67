import { readFileSync } from "node:fs";

import { UserError } from "../lib/errors.ts";

/** The text of a file that somebody names. Throws a UserError when it cannot be read. */
export function readGiven(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(`${file} cannot be read`, { hint: "name a file that is there", cause: error });
  }
}
