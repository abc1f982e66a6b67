import { unknownValue } from "@pulumi/pulumi/runtime/rpc.js";
import { z } from "zod";

import { UserError } from "../lib/errors.ts";
import { attempt, run, runInForeground } from "./command.ts";

/** A resource as the engine writes it down. What is not named here is kept as it is. */
const Resource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  parent: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
  /** It was replaced, and its own deletion is still to come. */
  delete: z.boolean().optional(),
  /** It was deleted to be replaced, and the new one is still to come. */
  pendingReplacement: z.boolean().optional(),
});

const Exported = z.looseObject({
  deployment: z.looseObject({
    resources: z.array(Resource).default([]),
    pending_operations: z.array(z.looseObject({ resource: z.looseObject({ urn: z.string() }) })).default([]),
  }),
});

const Preview = z.object({ steps: z.array(z.object({ op: z.string(), newState: Resource.optional() })) });

export type Resource = z.output<typeof Resource>;
export type Exported = z.output<typeof Exported>;

/** Which stack, on the backend that this shell is logged in to. */
export interface Where {
  projectDir: string;
  /** As the engine takes it: its name, or `organization/project/name`. */
  stack: string;
  /** Added to the environment. */
  env?: Readonly<Record<string, string>>;
}

/** What a preview shows in a secret's place. */
const SEALED = "[secret]";
/** What it plans to make. A resource whose old one is gone already is created as well, though it says "replace". */
const CREATING = ["create", "replace", "create-replacement"];

/** The stack's own name, without the organization and project that may stand before it: what its labels and files are called. */
export function nameOfStack(stack: string): string {
  return stack.split("/").at(-1) ?? stack;
}

/** The state of a stack, secrets sealed. */
export async function readDeployment({ projectDir, stack, env }: Where): Promise<Exported> {
  return Exported.parse(JSON.parse(await run("reading the state", "pulumi", ["stack", "export", "--stack", stack], { cwd: projectDir, env })));
}

/** Writes it back. Operations that were begun and not ended are not in it any more. */
export async function writeDeployment({ projectDir, stack }: Where, exported: Exported): Promise<void> {
  await run("writing the state", "pulumi", ["stack", "import", "--stack", stack], { cwd: projectDir, input: JSON.stringify(exported) });
}

/** Everything that the next update would create, as far as a preview knows it; one with an unknown input is left out. */
export async function readPlanned({ projectDir, stack }: Where): Promise<Resource[]> {
  const { isFine, stdout } = await attempt("pulumi", ["preview", "--json", "--stack", stack, "--non-interactive"], { cwd: projectDir });
  if (!isFine) {
    // Once more, in words.
    await runInForeground("pulumi", ["preview", "--stack", stack, "--non-interactive"], { cwd: projectDir });
    throw new UserError(`stack "${stack}" cannot be previewed`, { hint: "see the words above; mend it and run this again" });
  }
  const { steps } = Preview.parse(JSON.parse(stdout));
  return steps.flatMap(({ op, newState }) => (newState !== undefined && CREATING.includes(op) && isKnown(newState) ? [newState] : []));
}

/**
 * The state with what was created, by URN, as if its creation had been recorded. What it replaces is gone already, or is still to be deleted. A
 * refresh then adds what only the cloud knows.
 */
export function withCreated(exported: Exported, created: ReadonlyMap<string, Resource>): Exported {
  const { resources } = exported.deployment;
  const rest = new Map(created);
  const replaced: Resource[] = [];
  const all = resources.map((old) => {
    const now = old.delete === true ? undefined : rest.get(old.urn);
    if (now === undefined) return old;
    rest.delete(old.urn);
    if (old.pendingReplacement !== true) replaced.push({ ...old, delete: true });
    return now;
  });
  return { ...exported, deployment: { ...exported.deployment, resources: [...all, ...rest.values(), ...replaced], pending_operations: [] } };
}

/** A planned resource that exists. Secrets of its inputs stay out: the plan has not told them. */
export function existing(planned: Resource, id: string): Resource {
  const inputs = Object.fromEntries(Object.entries(planned.inputs ?? {}).filter(([, value]) => value !== SEALED));
  return { ...planned, id, inputs, outputs: inputs };
}

function isKnown({ inputs }: Resource): boolean {
  return !JSON.stringify(inputs ?? {}).includes(unknownValue);
}
