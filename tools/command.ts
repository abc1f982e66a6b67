import { execa } from "execa";

import { UserError } from "../lib/errors.ts";

/** How a quiet command is run. */
export interface CommandOptions {
  /** Default: the current folder. */
  cwd?: string | undefined;
  /** Added to the environment; `undefined` takes a variable out. */
  env?: Record<string, string | undefined> | undefined;
  /** Default: none. */
  timeoutMs?: number | undefined;
  /** Text for its stdin. Default: nothing. */
  input?: string | undefined;
}

/** What a finished command left behind. */
export interface CommandResult {
  isFine: boolean;
  stdout: string;
  /** The words to show when it failed: the last lines of stderr, or else of stdout. */
  complaint: string;
}

/** Runs a command quietly and says how it went; it throws only where it could not be started for another reason than being absent. */
export async function attempt(file: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { cwd, env, timeoutMs: timeout, input } = options;
  const settings = { reject: false, ...defined({ cwd, env, timeout, input }), ...(input === undefined ? { stdin: "ignore" as const } : {}) };
  const result = await execa(file, args, settings);
  const { stdout, stderr } = result;
  const words = stderr.trim() || stdout.trim() || (result.timedOut ? "no answer in time" : (result.originalMessage ?? ""));
  return { isFine: !result.failed, stdout, complaint: words.split("\n").slice(-15).join("\n") };
}

/** Runs a command quietly, gives its stdout, and throws with its own words when it fails. `what` says what it was for. */
export async function run(what: string, file: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { isFine, stdout, complaint } = await attempt(file, args, options);
  if (isFine) return stdout;
  throw new UserError(`${what} failed:\n${complaint}`, { hint: `the command was: ${[file, ...args].join(" ")}` });
}

/** Runs a command on the operator's terminal and gives its exit code. */
export async function runInForeground(file: string, args: readonly string[], options: Pick<CommandOptions, "cwd" | "env"> = {}): Promise<number> {
  // A Ctrl-C in the terminal reaches the child by itself; a second one would cut it short.
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  const child = execa(file, args, { stdio: "inherit", reject: false, forceKillAfterDelay: false, ...defined(options) });
  const forward = (signal: NodeJS.Signals) => {
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  try {
    const result = await child;
    if (result.exitCode !== undefined) return result.exitCode;
    if (result.signal !== undefined) return 1;
    throw new UserError(`${file} could not be started: ${result.originalMessage ?? "unknown reason"}`);
  } finally {
    process.off("SIGINT", ignore);
    for (const signal of signals) process.off(signal, forward);
  }
}

/** The fields that have a value: execa tells an absent one from an undefined one. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
