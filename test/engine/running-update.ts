import { spawn } from "node:child_process";
import { once } from "node:events";

import type { TestProject } from "../support/project.ts";

/** A program of a project that still runs. */
export interface Running {
  pid: number;
  /** What it has printed so far. */
  output: string;
  /** Exit code and signal. */
  ended: Promise<unknown[]>;
  isRunning(): boolean;
}

/** Starts a program in a project, in a process group of its own. */
export function start(project: Pick<TestProject, "dir" | "env">, file: string, args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(file, args, { cwd: project.dir, env: { ...process.env, ...project.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
  if (child.pid === undefined) throw new Error(`${file} did not start`);
  const running: Running = { pid: child.pid, output: "", ended: once(child, "exit"), isRunning: () => child.exitCode === null && child.signalCode === null };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (running.output += data.toString()));
  return running;
}

/** Starts `pulumi up`. */
export function startUp(project: Pick<TestProject, "dir" | "env">, ...args: string[]): Running {
  return start(project, "pulumi", ["up", "--yes", "--skip-preview", "--non-interactive", "--color", "never", ...args]);
}

/** Waits until something is so. Fails when the program ends before. */
export async function waitWhile(running: Running, what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (running.isRunning()) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it ended before ${what}:\n${running.output}`);
}

/** Kills it with all of its group: the language host and the program go as well, plug-ins have groups of their own and stay. */
export async function kill({ pid, ended }: Running): Promise<void> {
  process.kill(-pid, "SIGKILL");
  await ended;
}
