import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { attempt, type CommandResult } from "../../../tools/command.ts";
import { cgroupOf, namespaceOf, serverDir } from "./world.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const INIT = "/usr/lib/standin/init";
const DEADLINE_MS = 60_000;

/** Starts a server's first process, which outlives this one, and returns when the server has its own file system. Its network is there already. */
export async function powerOn(world: string, name: string): Promise<void> {
  const dir = serverDir(world, name);
  const log = openSync(join(dir, "console.log"), "a");
  const boot = ["sh", join(import.meta.dirname, "boot.sh"), dir, cgroupOf(world, name)];
  const namespaces = [`--net=/run/netns/${namespaceOf(world, `server-${name}`)}`, "unshare", "--mount", "--pid", "--uts", "--ipc", "--fork"];
  // Nothing of this process's environment is the server's business.
  const child = spawn("nsenter", [...namespaces, ...boot], { detached: true, stdio: ["ignore", log, log], env: { PATH } });
  closeSync(log);
  let ended = false;
  child.once("exit", () => (ended = true)).once("error", () => (ended = true));
  child.unref();
  // Its own /run exists only behind its own root: before that, a command "inside" would see this machine's files.
  await waitUntil(async () => {
    if (ended) throw new Error(`server ${name} does not boot:\n${readFileSync(join(dir, "console.log"), "utf8").trim().split("\n").slice(-15).join("\n")}`);
    return (await runInside(world, name, ["test", "-e", "/run/standin"])).isFine;
  }, `server ${name} has no file system of its own`);
}

/** Kills all that runs on a server, containers included, at once; returns when all of it is gone. */
export async function powerOff(world: string, name: string): Promise<void> {
  await killAll((args) => args.includes(cgroupOf(world, name)));
}

/** Kills all that runs for a world: its servers, what makes them and what answers them. */
export async function killWorld(world: string): Promise<void> {
  const isOfServer = (arg: string): boolean => arg.startsWith(`${cgroupOf(world)}/`);
  const isMetadata = (arg: string): boolean => arg.endsWith("/standin/machine/metadata-server.ts");
  await killAll((args) => args.some(isOfServer) || (args.includes(world) && args.some(isMetadata)));
}

/** Runs a command on a server as root, past SSH. It fails where the server is off. */
export async function runInside(world: string, name: string, command: readonly string[]): Promise<CommandResult> {
  const pid = findInit(world, name);
  if (pid === undefined) return { isFine: false, stdout: "", complaint: `server ${name} is off` };
  const spaces = ["--mount", "--pid", "--uts", "--ipc", "--net"];
  return await attempt("nsenter", ["--target", `${pid}`, ...spaces, "env", "-i", `PATH=${PATH}`, "HOME=/root", ...command]);
}

/** Whether a server runs. */
export function isOn(world: string, name: string): boolean {
  return findInit(world, name) !== undefined;
}

/** Removes the cgroups of a server's containers, or of all servers of a world. */
export async function removeCgroups(world: string, name?: string): Promise<void> {
  const path = `*${cgroupOf(world, name)}`;
  const remaining = ["/sys/fs/cgroup", "-depth", "-type", "d", "(", "-path", path, "-o", "-path", `${path}/*`, ")"];
  await waitUntil(async () => {
    await attempt("find", [...remaining, "-exec", "rmdir", "{}", ";"]);
    return (await attempt("find", remaining)).stdout === "";
  }, `cgroups ${path} are in use`);
}

/** Asks again and again, up to a deadline. */
export async function waitUntil(isSo: () => Promise<boolean>, otherwise: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${otherwise} after ${DEADLINE_MS / 1000} s`);
    await sleep(20);
  }
}

/** A server's first process, by its number on this machine. */
function findInit(world: string, name: string): number | undefined {
  return findProcesses((args) => args.includes(INIT) && args.includes(cgroupOf(world, name)))[0];
}

/**
 * Kills processes by their arguments and not by their namespaces: these may have got their names where this process cannot see them. With the first
 * process of a server goes everything in its process namespace, and the kernel lets it go last.
 */
async function killAll(isMeant: (args: string[]) => boolean): Promise<void> {
  const killed = new Set<number>();
  await waitUntil(() => {
    for (const pid of findProcesses(isMeant)) {
      killed.add(pid);
      kill(pid);
    }
    return Promise.resolve([...killed].every((pid) => hasEnded(pid)));
  }, "killed processes do not end");
}

function findProcesses(isMeant: (args: string[]) => boolean): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && isMeant((read(`/proc/${pid}/cmdline`) ?? "").split("\0")));
}

/** Gone, or only not buried yet. */
function hasEnded(pid: number): boolean {
  const state = /^State:\s*(\w)/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
  return state === undefined || state === "Z";
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Its process has just ended.
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
