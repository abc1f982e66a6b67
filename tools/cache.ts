import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

import { say } from "./progress.ts";

/** Where everything that set-up fetches or builds is kept: outside every checkout, shared by all. */
export const cacheDir = join(findCaches(), "openclaw-tenants");

function findCaches(): string {
  const chosen = process.env["XDG_CACHE_HOME"] ?? "";
  return chosen === "" ? join(homedir(), ".cache") : chosen;
}

/** Does `work` while no other set-up on this machine does work of the same name. */
export async function locked<T>(name: string, work: () => Promise<T>): Promise<T> {
  const dir = join(cacheDir, "locks");
  await mkdir(dir, { recursive: true });
  // SQLite's lock belongs to the process, so the system drops it even after SIGKILL: nothing stale to clear away.
  const lock = new DatabaseSync(join(dir, `${name.replaceAll("/", "-")}.db`));
  try {
    lock.exec("PRAGMA busy_timeout = 0");
    for (let round = 0; !isTaken(lock); round++) {
      if (round === 10) say(name, "another set-up is working on it; waiting");
      await sleep(100);
    }
    return await work();
  } finally {
    lock.close();
  }
}

function isTaken(lock: DatabaseSync): boolean {
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    const SQLITE_BUSY = 5;
    if (error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY) return false;
    throw error;
  }
}

/**
 * The folder `name` of the cache, filled by `fill` when it is not there yet; nothing when `fill` says that it could not.
 * It is filled under another name and then renamed, so what carries the name is always whole.
 */
export async function cached(name: string, fill: (dir: string) => Promise<boolean>): Promise<string | undefined> {
  const dir = join(cacheDir, name);
  if (existsSync(dir)) return dir;
  return await locked(name, async () => {
    if (existsSync(dir)) return dir;
    return await inTemporaryDir(name, async (temporary) => {
      if (!(await fill(temporary))) return undefined;
      await mkdir(dirname(dir), { recursive: true });
      await rename(temporary, dir);
      return dir;
    });
  });
}

/** A fresh folder on the cache's disk for the time of `work`. Call it under a lock of the same name: leftovers of an interrupted run go first. */
export async function inTemporaryDir<T>(name: string, work: (dir: string) => Promise<T>): Promise<T> {
  await mkdir(cacheDir, { recursive: true });
  const prefix = `${name.replaceAll("/", "-")}.tmp-`;
  for (const entry of await readdir(cacheDir)) {
    if (entry.startsWith(prefix)) await rm(join(cacheDir, entry), { recursive: true, force: true });
  }
  const dir = join(cacheDir, `${prefix}${process.pid}`);
  await mkdir(dir);
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
