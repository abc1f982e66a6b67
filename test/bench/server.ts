import { existsSync } from "node:fs";
import { freemem } from "node:os";

import { execa } from "execa";

import { nameMachine, nameTenant } from "../../plan/names.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { readLocal } from "../../tools/local.ts";
import { findServerLack } from "../standin/machine/lack.ts";
import { namespaceOf } from "../standin/machine/world.ts";
import { type CloudProject, clientOn, createCloudProject, HOST } from "../support/cloud-project.ts";
import { ROOT } from "../support/project.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { waitForHealth } from "./docker-run.ts";
import { type BenchOptions, median, type Result, type Row, seconds } from "./report.ts";

const RUNS = 3;
const TARGET = 1.5;
/** Two gateways that stay, the one that is added, and the engine. */
const NEEDED_GIB = 6;
/** Two hosts of one stack that are the same machine: its Docker over ssh, and by its socket. */
const SSH = "host-1";
const SOCKET = "host-2";
/** The tunnels of the first host's Caddy have 8080. */
const HTTP_PORT = 8081;

/** Milliseconds from the start of `pulumi up`. */
interface Times {
  to200: number;
  toHealthy: number;
  toEnd: number;
}

/** Time to add a tenant to a server over ssh, against the same by the Docker socket of the very same machine. */
export async function benchServer({ runs = RUNS, say }: BenchOptions): Promise<Result> {
  const lack = findServerLack();
  if (lack !== undefined) return { rows: [], notes: [`server: not run: ${lack}`] };
  const local = readLocal(ROOT);
  const isReal = freemem() >= NEEDED_GIB * 2 ** 30;
  const project = await createCloudProject({ image: isReal ? local.openclawImage : await buildStandIn(local), hasMachines: true });
  const pairs: { ssh: Times; socket: Times }[] = [];
  try {
    say("bringing up a server with a tenant over ssh and one by its socket");
    const fleet = await bringUp(project);
    for (let run = 1; run <= runs; run++) {
      say(`adding, ${run} of ${runs}`);
      const add = (host: string): Promise<Times> => addOnce(project, fleet, host, run);
      // In turns, so that neither is always the first.
      if (run % 2 === 1) pairs.push({ ssh: await add(SSH), socket: await add(SOCKET) });
      else pairs.push(await add(SOCKET).then(async (socket) => ({ socket, ssh: await add(SSH) })));
    }
  } finally {
    await project.dispose();
  }
  return {
    rows: [
      compare(pairs, "until Docker calls it healthy", ({ toHealthy }) => toHealthy, TARGET),
      compare(pairs, "until 200 on its port", ({ to200 }) => to200),
      compare(pairs, "until pulumi up ends", ({ toEnd }) => toEnd),
    ],
    notes: [
      `server: medians of ${runs} ${runs === 1 ? "pair" : "pairs"} on one stand-in server and its one Docker, ${isReal ? "real OpenClaw" : `a small HTTP server in OpenClaw's place: less than ${NEEDED_GIB} GiB of memory were free`}. Everything counts from the start of \`pulumi up --skip-preview\`.`,
      "server: over ssh the tenant is a production one, with names at Cloudflare and directories on the data volume, which the one by the socket has not.",
    ],
  };
}

function compare(pairs: readonly { ssh: Times; socket: Times }[], name: string, pick: (times: Times) => number, target?: number): Row {
  return {
    name: `one more tenant on a server over ssh, ${name}`,
    ours: seconds(median(pairs.map(({ ssh }) => pick(ssh)))),
    against: `${seconds(median(pairs.map(({ socket }) => pick(socket))))} by its socket`,
    ratio: median(pairs.map(({ ssh, socket }) => pick(ssh) / pick(socket))),
    ...(target === undefined ? {} : { target }),
  };
}

/** Orders the server, then names its Docker's socket as a host of its own; gives the tenants that stay. */
async function bringUp(project: CloudProject): Promise<TenantInput[]> {
  const settings = { startTimeoutSeconds: 1200 };
  const server = { ...HOST, dataGb: 40 };
  const first = clientOn(project, SSH, 0, "over-ssh");
  project.writeHosts({ [SSH]: server }, settings);
  project.writeTenants([first]);
  await project.up();

  const endpoint = `unix://${await findRoot(project, SSH)}/run/docker.sock`;
  const socket = { kind: "docker", endpoint, memoryMb: 8192, cpus: 4, edge: { httpPort: HTTP_PORT } } as const;
  project.writeHosts({}, { ...settings, hosts: { [SSH]: server, [SOCKET]: socket } });
  const fleet = [first, clientOn(project, SOCKET, 1, "by-socket")];
  project.writeTenants(fleet);
  await project.up();
  return fleet;
}

/** Adds one tenant to a host, waits for it, and takes it out. */
async function addOnce(project: CloudProject, fleet: readonly TenantInput[], host: string, run: number): Promise<Times> {
  // Data of a removed tenant stays, so every one is another.
  const added = clientOn(project, host, fleet.length, `${host}-${run}`);
  project.writeTenants([...fleet, added]);
  // Docker's own times are of the wall clock.
  const start = Date.now();
  const [to200, toEnd] = await Promise.all([
    project.onHost(SSH, untilAnswers(added.port)).then(() => Date.now() - start),
    project.up().then(() => Date.now() - start),
  ]);
  const { healthyAt } = await waitForHealth({ docker: project.dockerOn(SSH) }, nameTenant(project.stack, added.id).container);
  project.writeTenants(fleet);
  await project.up();
  return { to200, toEnd, toHealthy: healthyAt - start };
}

/** For a shell on the server; gives up after ten minutes. */
function untilAnswers(port: number): string {
  return `for _ in $(seq 6000); do curl -fs -m 5 -o /dev/null http://127.0.0.1:${port}/healthz && exit 0; sleep 0.1; done; exit 1`;
}

/** Where this machine sees the root of a server's file system. */
async function findRoot({ world, stack }: CloudProject, host: string): Promise<string> {
  const { stdout } = await execa("ip", ["netns", "pids", namespaceOf(world, `server-${nameMachine(stack, host)}`)]);
  const pids = stdout.split("\n").map(Number);
  // Containers have roots of their own; the oldest of the others is there as long as the server.
  const root = pids
    .toSorted((a, b) => a - b)
    .map((pid) => `/proc/${pid}/root`)
    .find((path) => existsSync(`${path}/run/standin`));
  if (root === undefined) throw new Error(`no process of server ${host} is visible here`);
  return root;
}
