import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { execa } from "execa";
import { parse } from "yaml";

import type { Cloud } from "../../plan/cloud.ts";
import type * as planner from "../../plan/fleet.ts";
import { parseSettings } from "../../plan/settings.ts";
import { readLibrary, readSeeds } from "../../stack/files.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { ROOT, type TestProject } from "../support/project.ts";
import { flatten } from "./flat-resources.ts";
import type { ExportedState } from "./fleet-state.ts";
import { median, type Row, seconds } from "./report.ts";

const TARGET = 1.3;

/** A folder that the engine can preview. */
export type Previewed = Pick<TestProject, "dir" | "env" | "stack">;

export interface CompareArgs {
  /** What is previewed; the number of resources follows. */
  name: string;
  /** Pairs of runs. */
  runs: number;
  /** What both find when they are previewed. */
  state: ExportedState;
  /** Has its list and settings; gets the state here. */
  ours: Previewed;
  /** Folder that does not exist yet, for the flat program. */
  flatDir: string;
  /** Whether both programs have just been previewed, over a smaller state. */
  isWarm?: boolean;
}

/** Times previews that find nothing to do, in turns with the flat program over the same state. */
export async function comparePreviews({ name, runs, state, ours, flatDir, isWarm = false }: CompareArgs): Promise<Row> {
  const theirs = await writeFlat(flatDir, ours, state);
  await importState(ours, state);
  if (!isWarm) {
    // The first of each reads everything from the disk.
    await preview(ours);
    await preview(theirs);
  }
  const pairs: { ours: number; theirs: number }[] = [];
  for (let run = 0; run < runs; run++) pairs.push({ ours: await preview(ours), theirs: await preview(theirs) });
  return {
    name: `no-op preview, ${name} (${state.deployment.resources.length} resources)`,
    ours: seconds(median(pairs.map((pair) => pair.ours))),
    against: `${seconds(median(pairs.map((pair) => pair.theirs)))} flat program`,
    ratio: median(pairs.map((pair) => pair.ours / pair.theirs)),
    target: TARGET,
  };
}

/** Milliseconds of one preview. Throws when it finds anything to do. */
async function preview({ dir, env, stack }: Previewed): Promise<number> {
  const started = performance.now();
  await execa("pulumi", ["preview", "--stack", stack, "--expect-no-changes", "--non-interactive", "--color", "never"], { cwd: dir, env });
  return performance.now() - started;
}

/** A project of the same name with the same stack and state, whose program is the flat one. */
async function writeFlat(dir: string, { dir: projectDir, env, stack }: Previewed, state: ExportedState): Promise<Previewed> {
  mkdirSync(join(dir, "state"), { recursive: true });
  for (const file of ["Pulumi.yaml", "package.json", `Pulumi.${stack}.yaml`]) cpSync(join(projectDir, file), join(dir, file));
  cpSync(new URL("flat-program.ts", import.meta.url), join(dir, "index.ts"));
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  writeFileSync(join(dir, "resources.json"), JSON.stringify(flatten(state)));
  const flat = { dir, env: { ...env, PULUMI_BACKEND_URL: `file://${join(dir, "state")}` }, stack };
  await execa("pulumi", ["stack", "init", flat.stack, "--non-interactive"], { cwd: dir, env: flat.env });
  await importState(flat, state);
  return flat;
}

async function importState({ dir, env, stack }: Previewed, state: ExportedState): Promise<void> {
  await execa("pulumi", ["stack", "import", "--stack", stack, "--non-interactive"], { cwd: dir, env, input: JSON.stringify(state) });
}

/** What the program plans from such a list: the project's own copy of the planner reads the same files and settings here. */
export async function planCopy(project: TestProject, tenants: readonly TenantInput[], cloud: Cloud): Promise<planner.Fleet> {
  const { planFleet } = (await import(join(project.dir, "plan", "fleet.ts"))) as typeof planner;
  const file = `Pulumi.${project.stack}.yaml`;
  const { config } = parse(readFileSync(join(project.dir, file), "utf8")) as { config: Record<string, unknown> };
  return planFleet({
    stack: project.stack,
    tenants,
    settings: parseSettings(config["openclaw-tenants:settings"], file),
    secrets: {},
    library: readLibrary(project.dir),
    seeds: readSeeds(project.dir),
    past: { tenants: {}, retained: {} },
    cloud,
  });
}
