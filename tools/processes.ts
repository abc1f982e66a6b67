import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { UserError } from "../lib/errors.ts";
import { run } from "./command.ts";

/** Name of the program that runs under a pid; nothing when it has ended, also when nobody has taken note of its end yet. */
export function findProcess(pid: number): string | undefined {
  if (existsSync("/proc/self/stat")) {
    const file = `/proc/${pid}/stat`;
    const [, name, state] = (existsSync(file) ? /^\d+ \((.*)\) (\S)/s.exec(readFileSync(file, "utf8")) : undefined) ?? [];
    return state === "Z" ? undefined : name;
  }
  const [, state, name] = /^(\S+)\s+(.+)$/m.exec(spawnSync("ps", ["-o", "stat=,comm=", "-p", String(pid)], { encoding: "utf8" }).stdout) ?? [];
  return name === undefined || state?.startsWith("Z") === true ? undefined : basename(name);
}

/** Plug-ins outlive a killed engine for minutes and go on creating what nobody will record. The engine's address is their argument. */
export async function stopOrphanedPlugIns(): Promise<void> {
  const listing = await run("listing processes", "ps", ["-ax", "-o", "pid=,command="]);
  for (const [, pid = "", port = ""] of listing.matchAll(/^\s*(\d+) \S*pulumi-resource-\S+ .*?127\.0\.0\.1:(\d+)/gm)) {
    if (!isNeighbour(pid) || (await isListening(Number(port)))) continue;
    await end(Number(pid));
  }
}

/** Whether a process shares this one's network: of the ports of another nothing can be told from here. */
function isNeighbour(pid: string): boolean {
  return networkOf(pid) === networkOf("self");
}

/** Absent: this system has no such thing, the process has ended, or it is somebody else's. */
function networkOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

async function end(pid: number): Promise<void> {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ESRCH" || error.code === "EPERM")) return;
    throw error;
  }
  for (let round = 0; findProcess(pid) !== undefined; round++) {
    if (round === 100) throw new UserError(`process ${pid}, a plug-in of an interrupted update, does not end`, { hint: `kill -9 ${pid}` });
    await sleep(50);
  }
}

async function isListening(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => {
      resolve(false);
    });
  });
}
