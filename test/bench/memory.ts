import { setTimeout as sleep } from "node:timers/promises";

import type { TenantInput } from "../../tenants/schema.ts";
import { readLocal } from "../../tools/local.ts";
import { createProject, ROOT, type TestProject } from "../support/project.ts";
import { findPssObstacle, readPssMb } from "./pss.ts";
import { type BenchOptions, median, type Result, type Row } from "./report.ts";
import { answers, waitUntil } from "./wait.ts";

const RUNS = 3;
/** After "ready", in seconds. */
const SOON = 30;
const LATER = 30 * 60;
const SIZES = ["small", "standard"] as const;

/** MiB of every container by what it is, at one time after it was ready. */
type Sample = Record<(typeof SIZES)[number] | "defaults", number>;

/** Memory of an idle tenant under this project's settings, against the same image as OpenClaw runs by default. */
export async function benchMemory({ runs = RUNS, isLong, say }: BenchOptions): Promise<Result> {
  const obstacle = findPssObstacle();
  if (obstacle !== undefined) return { rows: [], notes: [`memory: not run: ${obstacle}`] };

  const soon: Sample[] = [];
  const later: Sample[] = [];
  // Half an hour once is enough to see whether it grows.
  const rounds = isLong ? 1 : runs;
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}`);
    const [first, second] = await measure(isLong ? [SOON, LATER] : [SOON]);
    if (first !== undefined) soon.push(first);
    if (second !== undefined) later.push(second);
  }
  return {
    rows: [...compare("30 s", soon, 0.75), ...compare("30 min", later, 1)],
    notes: [
      `memory: sum of PSS of all processes of the container; ${soon.length === 1 ? "one round" : `median of ${soon.length} rounds`}, each with new containers started side by side.`,
      'memory: "defaults" is the same image with { gateway: { mode: "local" } }, no NODE_OPTIONS, no MALLOC_ARENA_MAX and a limit of 8 GiB.',
      ...(isLong ? [] : ["memory: after 30 min not run; `npm run bench -- memory --long` does it."]),
    ],
  };
}

function compare(age: string, samples: readonly Sample[], target: number): Row[] {
  if (samples.length === 0) return [];
  return SIZES.map((size) => ({
    name: `memory of an idle tenant, ${size}, ${age} after ready`,
    ours: `${Math.round(median(samples.map((sample) => sample[size])))} MiB`,
    against: `${Math.round(median(samples.map(({ defaults }) => defaults)))} MiB by default`,
    ratio: median(samples.map((sample) => sample[size] / sample.defaults)),
    target,
  }));
}

/** Starts one container of each kind and reads its memory at every age. */
async function measure(agesSeconds: readonly number[]): Promise<Sample[]> {
  const project = await createProject((port) => SIZES.map((size, index): TenantInput => ({ id: size, name: size, host: "local", port: port(index), size })), {
    startTimeoutSeconds: 1200,
  });
  try {
    const kinds = [...SIZES, "defaults"] as const;
    const containers = Object.fromEntries(kinds.map((kind) => [kind, `openclaw-${project.stack}-${kind}`])) as Record<keyof Sample, string>;
    await project.up();
    await startDefaults(project, containers.defaults);
    const read = async (kind: keyof Sample, index: number): Promise<number[]> => {
      const ready = await waitUntil(`${kind} ready`, () => answers(project.port(index), "/readyz"));
      const figures: number[] = [];
      for (const age of agesSeconds) {
        await sleep(Math.max(0, ready + age * 1000 - performance.now()));
        figures.push(await readPssMb(project, containers[kind]));
      }
      return figures;
    };
    const figures = await Promise.all(kinds.map(read));
    return agesSeconds.map((_, age) => Object.fromEntries(kinds.map((kind, index) => [kind, figures[index]?.[age] ?? Number.NaN])) as Sample);
  } finally {
    await project.dispose();
  }
}

/** OpenClaw as it comes: only what it needs to start, and the labels that clean up. */
async function startDefaults(project: TestProject, name: string): Promise<void> {
  const config = `mkdir -p "$HOME/.openclaw" && echo '{"gateway":{"mode":"local"}}' > "$HOME/.openclaw/openclaw.json"`;
  await project.docker(
    ...["run", "--detach", "--init", "--name", name, "--hostname", "defaults", "--label", `openclaw-tenants.stack=${project.stack}`],
    ...[
      "--memory",
      "8g",
      "--restart",
      "unless-stopped",
      "--publish",
      `127.0.0.1:${project.port(SIZES.length)}:18789`,
      "--env",
      "OPENCLAW_GATEWAY_TOKEN=only-for-this-measurement",
    ],
    ...["--user", "1000:1000", "--env", "HOME=/home/node", readLocal(ROOT).openclawImage],
    ...["sh", "-c", `${config} && exec node openclaw.mjs gateway --bind lan --port 18789`],
  );
}
