import { UserError } from "../lib/errors.ts";
import { attempt, run, type CommandOptions } from "./command.ts";

/** Runs the Go tool. `part` is what is being built, `instead` what the operator can install rather than Go. */
export async function go(part: string, args: readonly string[], options: CommandOptions & { instead: string }): Promise<void> {
  const { instead, ...rest } = options;
  if (!(await attempt("go", ["version"])).isFine) {
    throw new UserError(`${part}: its official source cannot be reached, and Go, to build it from modules, is not installed`, { hint: instead });
  }
  await run(`${part}: go ${args[0] ?? ""}`, "go", args, rest);
}
