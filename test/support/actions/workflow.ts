import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

import { parse } from "yaml";
import { z } from "zod";

/** `.github` of the checkout under test. */
export const GITHUB_DIR = join(import.meta.dirname, "..", "..", "..", ".github");

const Scalars = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));

const Step = z.looseObject({
  id: z.string().optional(),
  if: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  env: Scalars.default({}),
  with: Scalars.default({}),
});

const Job = z.looseObject({
  if: z.string().optional(),
  needs: z.union([z.string().transform((one) => [one]), z.array(z.string())]).default([]),
  "runs-on": z.string().optional(),
  "timeout-minutes": z.number().optional(),
  environment: z.string().optional(),
  permissions: z.record(z.string(), z.string()).optional(),
  outputs: Scalars.default({}),
  env: Scalars.default({}),
  /** Of a job that is another workflow. */
  uses: z.string().optional(),
  with: Scalars.default({}),
  steps: z.array(Step).default([]),
});

const Workflow = z.looseObject({
  permissions: z.record(z.string(), z.string()).optional(),
  env: Scalars.default({}),
  jobs: z.record(z.string(), Job),
});

const Action = z.looseObject({
  inputs: z.record(z.string(), z.looseObject({ default: z.string().default("") })).default({}),
  runs: z.looseObject({ steps: z.array(Step) }),
});

/** The parts of GitHub's own files that tests look at. */
export type Step = z.output<typeof Step>;
export type Job = z.output<typeof Job>;
export type Workflow = z.output<typeof Workflow>;
export type Action = z.output<typeof Action>;

/** Every workflow by the name of its file, without `.yml`. */
export function readWorkflows(dir = GITHUB_DIR): Record<string, Workflow> {
  return readAll(join(dir, "workflows"), (file) => [basename(file, ".yml"), Workflow.parse(readYaml(file))]);
}

/** Every action of this repository's own by the name of its folder. */
export function readActions(dir = GITHUB_DIR): Record<string, Action> {
  return readAll(join(dir, "actions"), (folder) => [basename(folder), Action.parse(readYaml(join(folder, "action.yml")))]);
}

function readAll<T>(folder: string, read: (path: string) => [string, T]): Record<string, T> {
  const names = readdirSync(folder).toSorted();
  return Object.fromEntries(names.map((name) => read(join(folder, name))));
}

function readYaml(file: string): unknown {
  return parse(readFileSync(file, "utf8"));
}
