import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { link, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { cacheDir } from "../../../tools/cache.ts";

/** Where worlds are made: beside the images, so that these can be linked instead of copied, and on a real disk, as Docker wants it. */
const WORLDS = join(cacheDir, "worlds");
/** Says which world has this machine's routes to the addresses of its servers. */
const CLAIM = "/run/openclaw-tenants-world";

/** A new world of stand-in servers: a folder that remembers everything of it, and the process whose end is its own. */
export async function createWorldFolder(): Promise<string> {
  await mkdir(WORLDS, { recursive: true });
  return await mkdtemp(join(WORLDS, `${process.pid}-`));
}

/** Worlds of processes that are gone. */
export function findDeadWorlds(): string[] {
  if (!existsSync(WORLDS)) return [];
  return readdirSync(WORLDS)
    .map((name) => join(WORLDS, name))
    .filter(isDead);
}

/** Takes the routes for a world. Gives the world that has them and whose process is gone, if there is one; another one is an error. */
export async function claimRoutes(world: string): Promise<string | undefined> {
  // Whole from the first moment on: a claim that is half written would look like that of a world that is gone.
  const mine = `${CLAIM}.${process.pid}`;
  await writeFile(mine, world);
  try {
    await link(mine, CLAIM);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await rm(mine);
  }
  const holder = readFileSync(CLAIM, "utf8");
  if (holder === world) return undefined;
  if (!existsSync(holder) || isDead(holder)) return holder;
  throw new Error(`the addresses of stand-in servers are routed to the world ${holder}; wait until its run has ended, or destroy it`);
}

/** Gives the routes back, if this world has them. */
export async function releaseRoutes(world: string): Promise<void> {
  if (existsSync(CLAIM) && readFileSync(CLAIM, "utf8") === world) await rm(CLAIM);
}

function isDead(world: string): boolean {
  const pid = /^(\d+)-/.exec(basename(world))?.[1];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
}

/** Short name of something of a world, for where few letters fit. */
export function tagOf(...parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 6);
}

/** Network namespace of a world: `router`, who is outside, or `server-<name>`. */
export function namespaceOf(world: string, role: string): string {
  return `openclaw-${tagOf(world)}-${role}`;
}

/** Cgroup that the containers of a server, or of all servers of a world, are below. It also marks the processes of a server. */
export function cgroupOf(world: string, name?: string): string {
  return `/openclaw-${tagOf(world)}${name === undefined ? "" : `/${name}`}`;
}

/** Folder of a server. */
export function serverDir(world: string, name: string): string {
  return join(world, "servers", name);
}

/** Names of the servers that a world has. */
export function serversOf(world: string): string[] {
  const dir = join(world, "servers");
  return existsSync(dir) ? readdirSync(dir) : [];
}
