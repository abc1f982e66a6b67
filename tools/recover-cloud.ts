import { join } from "node:path";

import { z } from "zod";

import { UserError } from "../lib/errors.ts";
import { attempt, run, runInForeground } from "./command.ts";
import { existing, type Exported, nameOfStack, readDeployment, readPlanned, type Resource, type Where, withCreated, writeDeployment } from "./deployment.ts";
import { FINDABLE, findCreated } from "./find-unrecorded.ts";
import { stopOrphanedPlugIns } from "./processes.ts";
import { say } from "./progress.ts";
import { findStaleLocks } from "./recover.ts";
import { readProjectName, stateDir } from "./state.ts";
import { ask } from "./terminal.ts";
import { removeUnrecordedOn } from "./unrecorded-containers.ts";

export interface RecoverCloudArgs extends Where {
  /** Whether nobody is asked whether another update runs, nor whether to go on. */
  yes: boolean;
}

/** Credentials of the providers, and the variables they are handed on in. */
const CREDENTIALS = { "hcloud:token": "HCLOUD_TOKEN", "cloudflare:apiToken": "CLOUDFLARE_API_TOKEN" } as const;

/**
 * Picks up after an update of a cloud stack that was killed: drops its lock, takes over what was created but not recorded, removes containers that
 * nobody knows from the hosts, and goes on with `pulumi up`. Gives its exit code.
 */
export async function recoverCloud({ yes, ...where }: RecoverCloudArgs): Promise<number> {
  const { projectDir, stack } = where;
  await refuseLock(where);
  await confirm(`Is no update of stack "${stack}" running, here or elsewhere? Its lock is dropped.`, "wait until that update has finished", yes);
  await stopOrphanedPlugIns();
  await attempt("pulumi", ["cancel", "--stack", stack, "--yes", "--non-interactive"], { cwd: projectDir });

  const before = await readDeployment(where);
  await removeUnrecordedOn(nameOfStack(stack), before.deployment.resources);
  const created = await findUnrecorded(where, before);
  for (const [urn, { id }] of created) say("recovery", `${nameOf(urn)} was created and not recorded: taking over ${id ?? ""}`);
  if (created.size > 0) await confirm("Does all that belong to this stack?", "delete what does not belong to it, and run this again", yes);
  await record(where, before, created);

  return await runInForeground("pulumi", ["up", "--stack", stack, ...(yes ? ["--yes", "--skip-preview"] : [])], { cwd: projectDir });
}

/**
 * What is in the accounts though the next update would create it. An engine that was killed has written down what it was about to create; one
 * whose plug-in died or never answered has not, so the plan is asked.
 */
async function findUnrecorded(where: Where, { deployment }: Exported): Promise<Map<string, Resource>> {
  const recorded = new Map(deployment.resources.map((each) => [each.urn, each.id]));
  const planned = (await readPlanned(where)).filter(({ type, parent }) => FINDABLE.includes(type) && recorded.has(parent ?? ""));
  if (planned.length === 0) return new Map();
  const ids = await findCreated(nameOfStack(where.stack), planned, await readCredentials(where));
  return new Map(
    planned.flatMap((each): [string, Resource][] => {
      const id = ids.get(each.urn);
      return id === undefined || id === recorded.get(each.urn) ? [] : [[each.urn, existing(each, id)]];
    }),
  );
}

/** Records what was created, and reads back what was being changed or deleted: only the cloud knows how far that got. */
async function record(where: Where, before: Exported, created: ReadonlyMap<string, Resource>): Promise<void> {
  const pending = before.deployment.pending_operations.map(({ resource }) => resource.urn);
  if (created.size + pending.length === 0) return;
  const after = withCreated(before, created);
  await writeDeployment(where, after);
  const urns = new Set(after.deployment.resources.map(({ urn }) => urn));
  const targets = [...new Set([...created.keys(), ...pending])].filter((urn) => urns.has(urn)).flatMap((urn) => ["--target", urn]);
  if (targets.length === 0) return;
  const args = ["refresh", "--stack", where.stack, "--yes", "--skip-preview", "--non-interactive", ...targets];
  await run("reading back what exists", "pulumi", args, { cwd: where.projectDir });
}

/** A lock in a folder names its process; one that is alive keeps its lock. Other backends do not tell. */
async function refuseLock({ projectDir, stack }: Where): Promise<void> {
  const said = await run("finding the backend", "pulumi", ["whoami", "--json", "--non-interactive"], { cwd: projectDir });
  const { url } = z.object({ url: z.string() }).parse(JSON.parse(said));
  if (!url.startsWith("file://")) return;
  const name = nameOfStack(stack);
  findStaleLocks(join(stateDir({ PULUMI_BACKEND_URL: url }), "locks", "organization", readProjectName(projectDir), name), name);
}

/** As the program itself finds them: in the stack's config, else in this shell. */
async function readCredentials({ projectDir, stack }: Where): Promise<Record<string, string>> {
  const found = await Promise.all(
    Object.entries(CREDENTIALS).map(async ([key, variable]) => {
      const { isFine, stdout } = await attempt("pulumi", ["config", "get", key, "--stack", stack], { cwd: projectDir });
      return isFine ? [[variable, stdout.trim()] as const] : [];
    }),
  );
  return Object.fromEntries(found.flat());
}

async function confirm(question: string, otherwise: string, yes: boolean): Promise<void> {
  if (yes) return;
  const answer = await ask(`${question} Type yes: `);
  if (answer === undefined) throw new UserError("nobody is here to answer whether another update is running", { hint: "say --yes when none is" });
  if (answer !== "yes") throw new UserError("stopped", { hint: otherwise });
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}
