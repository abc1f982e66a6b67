import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

import { z } from "zod";

import { UserError } from "../lib/errors.ts";
import { run } from "./command.ts";
import { docker, dockerLines } from "./docker.ts";
import { findProcess, stopOrphanedPlugIns } from "./processes.ts";
import { say } from "./progress.ts";
import { findStateFile, readProjectName, readState, stateDir } from "./state.ts";

/** Which stack to recover. */
export interface RecoverArgs {
  projectDir: string;
  stack: string;
  /** Variables of the engine: backend (a `file://` one), passphrase, Docker, and PATH with the engine on it. */
  env: Readonly<Record<string, string>>;
}

const Lock = z.object({ pid: z.int(), username: z.string(), hostname: z.string(), timestamp: z.string() });

/**
 * Clears what an update that was killed left behind, so that the next one converges: its lock, its plug-ins, and the containers and
 * networks that it made and could not record. Volumes are never touched. Costs nothing, and says false, when there is nothing to clear.
 */
export async function recover({ projectDir, stack, env }: RecoverArgs): Promise<boolean> {
  const stale = findStaleLocks(join(stateDir(env), "locks", "organization", readProjectName(projectDir), stack), stack);
  const before = findStateFile(projectDir, stack, stateDir(env));
  const isInterrupted = stale.length > 0 || (before !== undefined && readState(before).pendingOperations > 0);
  if (!isInterrupted) return false;

  say("recovery", `an update of stack "${stack}" was interrupted; clearing what it left`);
  await stopOrphanedPlugIns();
  // The backend keeps its notes on a file beside it.
  for (const file of stale.flatMap((lock) => [lock, `${lock}.attrs`])) rmSync(file, { force: true });
  await removeUnrecorded({ projectDir, stack, env });
  // What the state records may be gone, or half changed: only Docker knows.
  const args = ["refresh", "--stack", stack, "--yes", "--skip-preview", "--clear-pending-creates", "--non-interactive"];
  if (before !== undefined) await run("reading back what exists", "pulumi", args, { cwd: projectDir, env });
  return true;
}

/** Locks whose process is gone. A lock that may be in use stops everything. */
export function findStaleLocks(dir: string, stack: string): string[] {
  if (!existsSync(dir)) return [];
  const files = readdirSync(dir)
    .filter((name) => name.endsWith(".json"))
    .map((name) => join(dir, name));
  for (const file of files) {
    const { pid, username, hostname: host, timestamp } = Lock.parse(JSON.parse(readFileSync(file, "utf8")));
    if (host !== hostname()) {
      throw new UserError(`stack "${stack}" is locked by ${username}@${host} (pid ${pid}) since ${timestamp}`, {
        hint: `wait for that update, or drop the lock of one that is dead: pulumi cancel --stack ${stack} --yes`,
      });
    }
    if (findProcess(pid)?.startsWith("pulumi") === true) {
      throw new UserError(`stack "${stack}" is being updated by another process (pid ${pid}) since ${timestamp}`, { hint: "wait until it has finished" });
    }
  }
  return files;
}

/** Removes containers and networks that carry the stack's label and are not in its state; gives their number. */
export async function removeUnrecorded({ projectDir, stack, env }: RecoverArgs): Promise<void> {
  const file = findStateFile(projectDir, stack, stateDir(env));
  const recorded = file === undefined ? new Set<string>() : readState(file).dockerIds;
  const endpoint = env["DOCKER_HOST"] ?? "";
  const filter = ["--filter", `label=openclaw-tenants.stack=${stack}`, "--no-trunc", "--quiet"];
  const unrecorded = async (listing: readonly string[]) => (await dockerLines(endpoint, [...listing, ...filter])).filter((id) => !recorded.has(id));

  const containers = await unrecorded(["ps", "--all"]);
  if (containers.length > 0) await docker(endpoint, ["rm", "--force", ...containers]);
  const networks = await unrecorded(["network", "ls"]);
  if (networks.length > 0) await docker(endpoint, ["network", "rm", ...networks]);
  if (containers.length + networks.length > 0)
    say("recovery", `removed ${containers.length} containers and ${networks.length} networks that were not recorded`);
}
