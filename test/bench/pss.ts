import { existsSync, readFileSync } from "node:fs";

import type { TestProject } from "../support/project.ts";

/** Why memory cannot be measured on this machine; absent where it can. */
export function findPssObstacle(): string | undefined {
  if (process.platform !== "linux" || !existsSync("/proc/self/smaps_rollup"))
    return "memory is measured through /proc/<pid>/smaps_rollup, which only Linux has";
  if (process.getuid?.() !== 0) return "memory of other users' processes is readable by root only";
  return undefined;
}

/** Sum of the proportional set size of every process in a container, in MiB: what it costs the host, shared pages split among their users. */
export async function readPssMb(project: Pick<TestProject, "docker">, container: string): Promise<number> {
  const pids = (await project.docker("top", container, "-eo", "pid")).split("\n").slice(1).map(Number);
  const kilobytes = pids.flatMap(readPssKb);
  if (kilobytes.length === 0) throw new Error(`no process of container ${container} is visible here; does its Docker run on another machine?`);
  return kilobytes.reduce((sum, each) => sum + each, 0) / 1024;
}

/** Empty for a process that is gone by now: helpers come and go. */
function readPssKb(pid: number): number[] {
  const file = `/proc/${pid}/smaps_rollup`;
  if (!existsSync(file)) return [];
  try {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(file, "utf8"))?.[1];
    return pss === undefined ? [] : [Number(pss)];
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return [];
    throw error;
  }
}
