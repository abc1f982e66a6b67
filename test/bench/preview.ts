import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { parse } from "yaml";

import { type Fleet, planFleet } from "../../plan/fleet.ts";
import { parseSettings } from "../../plan/settings.ts";
import { readLibrary, readSeeds } from "../../stack/files.ts";
import { FIRST_PORT, type TenantInput } from "../../tenants/schema.ts";
import { readLocal } from "../../tools/local.ts";
import { createProject, ROOT, type TestProject } from "../support/project.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { flatten } from "./flat-resources.ts";
import { type ExportedState, growState, parseState } from "./fleet-state.ts";
import { type BenchOptions, median, type Result, type Row, seconds } from "./report.ts";

const COUNTS = [2, 50, 200];
/** Pairs of runs. */
const RUNS = 5;
const TARGET = 1.3;

/** A folder that the engine can preview. */
type Previewed = Pick<TestProject, "dir" | "env" | "stack">;

/** Time of a preview that finds nothing to do, against a program that registers the same resources and does nothing else. */
export async function benchPreview({ runs = RUNS, say }: BenchOptions): Promise<Result> {
  const image = await buildStandIn(readLocal(ROOT));
  const project = await createProject((port) => tenantsOf(2, port), { image });
  const flat = mkdtempSync(join(tmpdir(), "openclaw-tenants-flat-"));
  try {
    await project.up();
    const { stdout } = await project.pulumi(["stack", "export", "--show-secrets"]);
    const state = parseState(stdout);
    const before = plan(project, tenantsOf(2, project.port));
    const rows: Row[] = [];
    for (const count of COUNTS) {
      const tenants = tenantsOf(count, project.port);
      const grown = growState(state, before, plan(project, tenants));
      project.writeTenants(tenants);
      say(`${count} tenants`);
      const theirs = await writeFlat(join(flat, `${count}`), project, grown);
      await importState(project, grown);
      rows.push(await compare(`no-op preview, ${count} tenants (${grown.deployment.resources.length} resources)`, runs, project, theirs));
    }
    return {
      rows,
      notes: [
        "preview: whole run of `pulumi preview --expect-no-changes`, alternating with the other program; median of the pairs' ratios. The other program registers the same resources with the same inputs from a list.",
        "preview: two tenants really ran, as a small HTTP server under the same container settings; the states of 50 and 200 are grown from theirs, and the preview itself checks that they are what the program would have made.",
      ],
    };
  } finally {
    await project.dispose();
    rmSync(flat, { recursive: true, force: true });
  }
}

async function compare(name: string, runs: number, ours: Previewed, theirs: Previewed): Promise<Row> {
  // The first of each reads everything from the disk.
  await preview(ours);
  await preview(theirs);
  const pairs: { ours: number; theirs: number }[] = [];
  for (let run = 0; run < runs; run++) pairs.push({ ours: await preview(ours), theirs: await preview(theirs) });
  return {
    name,
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
async function writeFlat(dir: string, project: TestProject, state: ExportedState): Promise<Previewed> {
  mkdirSync(join(dir, "state"), { recursive: true });
  for (const file of ["Pulumi.yaml", "package.json", `Pulumi.${project.stack}.yaml`]) cpSync(join(project.dir, file), join(dir, file));
  cpSync(new URL("flat-program.ts", import.meta.url), join(dir, "index.ts"));
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  writeFileSync(join(dir, "resources.json"), JSON.stringify(flatten(state)));
  const flat = { dir, env: { ...project.env, PULUMI_BACKEND_URL: `file://${join(dir, "state")}` }, stack: project.stack };
  await execa("pulumi", ["stack", "init", flat.stack, "--non-interactive"], { cwd: dir, env: flat.env });
  await importState(flat, state);
  return flat;
}

async function importState({ dir, env, stack }: Previewed, state: ExportedState): Promise<void> {
  await execa("pulumi", ["stack", "import", "--stack", stack, "--non-interactive"], { cwd: dir, env, input: JSON.stringify(state) });
}

/** The first two have the ports of this run; the others are never started. */
function tenantsOf(count: number, port: (index: number) => number): TenantInput[] {
  const real = [port(0), port(1)];
  const free = Array.from({ length: count }, (_, index) => FIRST_PORT + index).filter((each) => !real.includes(each));
  return [...real, ...free].slice(0, count).map((each, index) => {
    const id = `client${String(index).padStart(4, "0")}`;
    return { id, name: "Acme Plumbing", host: "local", port: each, size: "small", expose: ["controlUi", "hooks"] };
  });
}

/** What the program plans from the project's list: the same files and settings, read here. */
function plan(project: TestProject, tenants: readonly TenantInput[]): Fleet {
  const file = `Pulumi.${project.stack}.yaml`;
  const { config } = parse(readFileSync(join(project.dir, file), "utf8")) as { config: Record<string, unknown> };
  const settings = parseSettings(config["openclaw-tenants:settings"], file);
  const nothingBefore = { tenants: {}, retained: {} };
  return planFleet({
    stack: project.stack,
    tenants,
    settings,
    secrets: {},
    library: readLibrary(project.dir),
    seeds: readSeeds(project.dir),
    past: nothingBefore,
  });
}
