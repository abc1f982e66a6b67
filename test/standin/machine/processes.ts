import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { attempt, type CommandResult } from "../../../tools/command.ts";
import { namespaceOf, serverDir, tagOf } from "./world.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const DEADLINE_MS = 30_000;

/** Starts a server's first process, which outlives this one, and returns when the server has its own file system. Its network is there already. */
export async function powerOn(world: string, name: string): Promise<void> {
  const dir = serverDir(world, name);
  const log = openSync(join(dir, "console.log"), "a");
  const boot = ["sh", join(import.meta.dirname, "boot.sh"), dir, `/${cgroupOf(world)}/${name}`];
  const namespaces = [`--net=/run/netns/${serverNamespace(world, name)}`, "unshare", "--mount", "--pid", "--uts", "--ipc", "--fork"];
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
  await killAllIn(serverNamespace(world, name));
}

/** Runs a command on a server as root, past SSH. It fails where the server is off. */
export async function runInside(world: string, name: string, command: readonly string[]): Promise<CommandResult> {
  const pid = await findInit(serverNamespace(world, name));
  if (pid === undefined) return { isFine: false, stdout: "", complaint: `server ${name} is off` };
  const spaces = ["--mount", "--pid", "--uts", "--ipc", "--net"];
  return await attempt("nsenter", ["--target", `${pid}`, ...spaces, "env", "-i", `PATH=${PATH}`, "HOME=/root", ...command]);
}

/** Whether a server runs. */
export async function isOn(world: string, name: string): Promise<boolean> {
  return (await findInit(serverNamespace(world, name))) !== undefined;
}

/** Kills every process of a network namespace, and with the first process of a server everything in its other namespaces. */
export async function killAllIn(namespace: string): Promise<void> {
  if (!existsSync(`/run/netns/${namespace}`)) return;
  const init = await findInit(namespace);
  await waitUntil(async () => {
    const pids = await processesIn(namespace);
    for (const pid of pids) kill(pid);
    // It ends last: the kernel lets it go when all others of its process namespace, in whatever network, are gone.
    return pids.length === 0 && (init === undefined || !existsSync(`/proc/${init}`));
  }, `processes in ${namespace} do not end`);
}

/** Removes the cgroups of a server's containers, or of all servers of a world. */
export async function removeCgroups(world: string, name?: string): Promise<void> {
  const path = `*/${cgroupOf(world)}${name === undefined ? "" : `/${name}`}`;
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

/** Cgroup that all containers of a world are below. */
function cgroupOf(world: string): string {
  return `openclaw-${tagOf(world)}`;
}

function serverNamespace(world: string, name: string): string {
  return namespaceOf(world, `server-${name}`);
}

async function processesIn(namespace: string): Promise<number[]> {
  const { stdout } = await attempt("ip", ["netns", "pids", namespace]);
  return stdout.split("\n").filter(Boolean).map(Number);
}

/** The first process of a server: number 1 in its process namespace, and unlike that of a container in its network not further down. */
async function findInit(namespace: string): Promise<number | undefined> {
  const own = idsOf(process.pid).length;
  return (await processesIn(namespace)).find((pid) => {
    const ids = idsOf(pid);
    return ids.length === own + 1 && ids.at(-1) === 1;
  });
}

/** A process's numbers, one per process namespace that it is in. */
function idsOf(pid: number): number[] {
  try {
    return (/^NSpid:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "").split(/\s+/).map(Number);
  } catch {
    // It has just ended.
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
