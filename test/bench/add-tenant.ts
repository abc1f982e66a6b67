import type { TenantInput } from "../../tenants/schema.ts";
import { createProject, type TestProject } from "../support/project.ts";
import { inspect, runArgs, waitForHealth } from "./docker-run.ts";
import { type BenchOptions, median, type Result, type Row, seconds } from "./report.ts";
import { answers, waitUntil } from "./wait.ts";

const FLEETS = [2, 10];
const RUNS = 3;
const TARGET = 1.5;

/** Milliseconds of one new tenant, and of the same container made by hand. */
interface Times {
  up: { to200: number; toHealthy: number; toContainer: number; toEnd: number };
  run: { to200: number; toHealthy: number };
  noop: number;
}

/** Time to add a tenant to a fleet that runs, against `docker run` of the very container that came out. */
export async function benchAddTenant({ runs = RUNS, say }: BenchOptions): Promise<Result> {
  const project = await createProject((port) => tenants(1, port), { startTimeoutSeconds: 1200 });
  const rows: Row[] = [];
  try {
    for (const size of FLEETS) {
      say(`bringing up ${size} tenants`);
      project.writeTenants(tenants(size, project.port));
      await project.up();
      const times: Times[] = [];
      for (let run = 1; run <= runs; run++) {
        say(`adding to ${size}, ${run} of ${runs}`);
        times.push(await addOnce(project, size, `extra${size}-${run}`));
      }
      rows.push(...describe(size, times));
    }
  } finally {
    await project.dispose();
  }
  return {
    rows,
    notes: [
      `adding: medians of ${runs} pairs, one after the other on the same fleet, real OpenClaw. \`pulumi up --skip-preview\` counts everything from the start of the command: engine, network, volumes, tokens, config, routes.`,
      "adding: `docker run` gets flags, image, environment, config, skills and network of the container that `up` made, and new volumes; network and volumes are there before its clock starts. Docker checks health for the first time after one whole interval, in both; the like-for-like rows leave that out.",
    ],
  };
}

function describe(size: number, times: readonly Times[]): Row[] {
  const compare = (name: string, ours: (time: Times) => number, theirs: (time: Times) => number, what: string, target?: number): Row => ({
    name: `adding a tenant to ${size}, ${name}`,
    ours: seconds(median(times.map(ours))),
    against: `${seconds(median(times.map(theirs)))} ${what}`,
    ratio: median(times.map((time) => ours(time) / theirs(time))),
    ...(target === undefined ? {} : { target }),
  });
  return [
    compare(
      "until 200 through Caddy",
      ({ up }) => up.to200,
      ({ run }) => run.toHealthy,
      "docker run until healthy",
      TARGET,
    ),
    compare(
      "until Docker calls it healthy",
      ({ up }) => up.toHealthy,
      ({ run }) => run.toHealthy,
      "docker run until healthy",
    ),
    compare(
      "until pulumi up ends",
      ({ up }) => up.toEnd,
      ({ run }) => run.toHealthy,
      "docker run until healthy",
    ),
    compare(
      "until 200 through Caddy, like for like",
      ({ up }) => up.to200,
      ({ run }) => run.to200,
      "docker run until 200 on its port",
    ),
    { name: `adding a tenant to ${size}, until the container is made`, ours: seconds(median(times.map(({ up }) => up.toContainer))) },
    { name: `adding a tenant to ${size}, what the engine adds until healthy`, ours: seconds(median(times.map(({ up, run }) => up.toHealthy - run.toHealthy))) },
    { name: `pulumi up that changes nothing, ${size + 1} tenants`, ours: seconds(median(times.map(({ noop }) => noop))) },
  ];
}

/** Adds one tenant, then makes its container again by hand beside the same fleet, and takes it out. */
async function addOnce(project: TestProject, size: number, id: string): Promise<Times> {
  const fleet = tenants(size, project.port);
  const port = project.port(size);
  const container = `openclaw-${project.stack}-${id}`;
  project.writeTenants([...fleet, entry(id, port)]);

  const start = clock();
  const ended = project.up().then(() => start.elapsed());
  const [to200, toEnd] = await Promise.all([
    waitUntil(`${id} through Caddy`, () => answers(project.httpPort, "/healthz", `${id}.localhost:${project.httpPort}`)).then(() => start.elapsed()),
    ended,
  ]);
  const { createdAt, healthyAt } = await waitForHealth(project, container);
  const up = { to200, toEnd, toHealthy: healthyAt - start.at, toContainer: createdAt - start.at };

  const before = clock();
  await project.up("--expect-no-changes");
  const noop = before.elapsed();

  const run = await runByHand(project, container, port);
  project.writeTenants(fleet);
  await project.up();
  return { up, run, noop };
}

/** The same container from the command line, with volumes as new as the tenant's were. */
async function runByHand(project: TestProject, model: string, port: number): Promise<Times["run"]> {
  const name = `${model}.by-hand`;
  const made = await inspect(project, model);
  const label = ["--label", `openclaw-tenants.stack=${project.stack}`];
  const volumes = Object.fromEntries(["state", "workspace"].map((role) => [`${model}.${role}`, `${name}.${role}`]));
  for (const volume of Object.values(volumes)) {
    await project.docker("volume", "create", ...label, volume);
    await project.docker(
      "run",
      "--rm",
      ...label,
      "--user",
      "0:0",
      "--volume",
      `${volume}:/data`,
      "--entrypoint",
      "chown",
      made.Image,
      made.Config.User,
      "/data",
    );
  }
  // Its port, and the processor time of an idle gateway.
  await project.docker("stop", model);

  const start = clock();
  await project.docker(...runArgs(name, made, volumes));
  const [to200, { healthyAt }] = await Promise.all([
    waitUntil(`${name} answers`, () => answers(port, "/healthz")).then(() => start.elapsed()),
    waitForHealth(project, name),
  ]);
  await project.docker("rm", "--force", name);
  return { to200, toHealthy: healthyAt - start.at };
}

/** Docker's own times are of the wall clock. */
function clock(): { at: number; elapsed: () => number } {
  const at = Date.now();
  return { at, elapsed: () => Date.now() - at };
}

function tenants(count: number, port: (index: number) => number): TenantInput[] {
  return Array.from({ length: count }, (_, index) => entry(`client${index}`, port(index)));
}

function entry(id: string, port: number): TenantInput {
  return { id, name: id, host: "local", port, size: "small" };
}
