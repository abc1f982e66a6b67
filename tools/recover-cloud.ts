import { createInterface } from "node:readline/promises";

import { z } from "zod";

import { UserError } from "../lib/errors.ts";
import { attempt, run, runInForeground } from "./command.ts";
import { findCreated, type PendingCreate } from "./find-unrecorded.ts";
import { say } from "./progress.ts";
import { removeUnrecordedOn } from "./unrecorded-containers.ts";

/** Which stack to recover, on the backend that this shell is logged in to. */
export interface RecoverCloudArgs {
  projectDir: string;
  stack: string;
  /** Whether nobody is asked whether another update runs, nor whether to go on. */
  yes: boolean;
}

const Exported = z.object({
  deployment: z.object({
    resources: z.array(z.object({ type: z.string(), id: z.string().optional() })).default([]),
    pending_operations: z
      .array(z.object({ type: z.string(), resource: z.object({ urn: z.string(), type: z.string(), inputs: z.record(z.string(), z.unknown()).default({}) }) }))
      .default([]),
  }),
});

/** Credentials of the providers, and the variables they are handed on in. */
const CREDENTIALS = { "hcloud:token": "HCLOUD_TOKEN", "cloudflare:apiToken": "CLOUDFLARE_API_TOKEN" } as const;

/**
 * Picks up after an update of a cloud stack that was killed: drops its lock, takes over what was created but not recorded, removes containers that
 * nobody knows from the hosts, and goes on with `pulumi up`. Gives its exit code.
 */
export async function recoverCloud({ projectDir, stack, yes }: RecoverCloudArgs): Promise<number> {
  await confirm(`Is no update of stack "${stack}" running, here or elsewhere? Its lock is dropped.`, yes);
  await attempt("pulumi", ["cancel", "--stack", stack, "--yes", "--non-interactive"], { cwd: projectDir });

  const { deployment } = Exported.parse(JSON.parse(await run("reading the state", "pulumi", ["stack", "export", "--stack", stack], { cwd: projectDir })));
  const pending = deployment.pending_operations.filter(({ type }) => type === "creating").map(({ resource }): PendingCreate => resource);
  if (pending.length > 0) await takeOver(projectDir, stack, pending);
  await removeUnrecordedOn({ projectDir, stack, recorded: new Set(deployment.resources.flatMap(({ id }) => id ?? [])) });

  return await runInForeground("pulumi", ["up", "--stack", stack, ...(yes ? ["--yes", "--skip-preview"] : [])], { cwd: projectDir });
}

/** Records what was created, and forgets what was not. */
async function takeOver(projectDir: string, stack: string, pending: readonly PendingCreate[]): Promise<void> {
  const created = await findCreated(stack, pending, await readCredentials(projectDir, stack));
  for (const { urn } of pending)
    say("recovery", `${urn.split("::").at(-1) ?? urn}: ${created.has(urn) ? `was created, taking over ${created.get(urn) ?? ""}` : "was not created"}`);
  const imports = [...created].flatMap((pair) => pair.flatMap((each) => ["--import-pending-creates", each]));
  const targets = created.size === 0 ? [] : [...created.keys()].flatMap((urn) => ["--target", urn]);
  const args = ["refresh", "--stack", stack, "--yes", "--skip-preview", "--non-interactive", "--clear-pending-creates", ...imports, ...targets];
  await run("recording what was created", "pulumi", args, { cwd: projectDir });
}

/** As the program itself finds them: in the stack's config, else in this shell. */
async function readCredentials(projectDir: string, stack: string): Promise<Record<string, string>> {
  const found = await Promise.all(
    Object.entries(CREDENTIALS).map(async ([key, variable]) => {
      const { isFine, stdout } = await attempt("pulumi", ["config", "get", key, "--stack", stack], { cwd: projectDir });
      return isFine ? [[variable, stdout.trim()] as const] : [];
    }),
  );
  return Object.fromEntries(found.flat());
}

async function confirm(question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new UserError("nobody is here to answer whether another update is running", { hint: "say --yes when none is" });
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await reader.question(`${question} Type yes: `);
  reader.close();
  if (answer.trim() !== "yes") throw new UserError("nothing was changed", { hint: "wait until that update has finished" });
}
