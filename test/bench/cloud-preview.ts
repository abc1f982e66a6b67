import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { z } from "zod";

import { nameMachine } from "../../plan/names.ts";
import { FIRST_PORT, type TenantInput } from "../../tenants/schema.ts";
import { readLocal } from "../../tools/local.ts";
import { findServerLack } from "../standin/machine/lack.ts";
import { powerOff } from "../standin/machine/processes.ts";
import { type CloudProject, createCloudProject } from "../support/cloud-project.ts";
import { ROOT } from "../support/project.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { growState, parseState } from "./fleet-state.ts";
import { LARGE_TYPE, runningServers, sellLargeServers } from "./large-server.ts";
import { comparePreviews, planCopy } from "./previews.ts";
import type { BenchOptions, Result, Row } from "./report.ts";

const HOSTS = [1, 5];
/** Tenants with the pairs of runs; hundreds take minutes. */
const COUNTS = [
  { count: 40, pairs: 3 },
  { count: 200, pairs: 1 },
];

const Rules = z.array(z.object({ description: z.string(), sourceIps: z.array(z.string()) }));

/** Time of a preview of a fleet on servers that finds nothing to do, against a program that registers the same resources and does nothing else. */
export async function benchCloudPreview({ runs, say }: BenchOptions): Promise<Result> {
  const lack = findServerLack();
  if (lack !== undefined) return { rows: [], notes: [`cloud preview: not run: ${lack}`] };
  const rows: Row[] = [];
  for (const hostCount of HOSTS) rows.push(...(await measure(hostCount, runs, say)));
  return {
    rows,
    notes: [
      `cloud preview: as "preview", with stand-ins for Hetzner's and Cloudflare's plug-ins under both programs, and ${COUNTS.map(({ count, pairs }) => `${runs ?? pairs} ${(runs ?? pairs) === 1 ? "pair" : "pairs"} at ${count} tenants`).join(", ")}. This program also asks the accounts what they hold.`,
      "cloud preview: one tenant a server really ran, as a small HTTP server on a stand-in server that was then switched off: a preview connects to none. The rest of the state is grown from these.",
      `cloud preview: no server that Hetzner sells holds 200 small tenants. For the rows on 1 server the planner's table says that ${LARGE_TYPE} has 512 GiB in place of 128.`,
    ],
  };
}

async function measure(hostCount: number, runs: number | undefined, say: BenchOptions["say"]): Promise<Row[]> {
  const hosts = Array.from({ length: hostCount }, (_, index) => `host-${index + 1}`);
  const where = `${hostCount} ${hostCount === 1 ? "server" : "servers"}`;
  const project = await createCloudProject({ image: await buildStandIn(readLocal(ROOT)), hasMachines: true });
  const flat = mkdtempSync(join(tmpdir(), "openclaw-tenants-flat-"));
  try {
    if (hostCount === 1) enlargeServers(project.dir);
    sellLargeServers(project.world);
    project.writeHosts(Object.fromEntries(hosts.map((host) => [host, { serverType: LARGE_TYPE }])));
    const real = tenantsOn(hosts, hostCount);
    project.writeTenants(real);
    say(`bringing up ${where}`);
    await project.up();
    const state = parseState((await project.pulumi(["stack", "export", "--show-secrets"])).stdout);
    for (const host of hosts) await powerOff(project.world, nameMachine(project.stack, host));

    const cloud = { proxyRanges: findProxyRanges(project), servers: runningServers(hosts), offers: [] };
    const before = await planCopy(project, real, cloud);
    const ours = { ...project, env: { ...project.env, STANDIN_MACHINES: "" } };
    const rows: Row[] = [];
    for (const { count, pairs } of COUNTS) {
      const tenants = tenantsOn(hosts, count);
      const grown = growState(state, before, await planCopy(project, tenants, cloud));
      project.writeTenants(tenants);
      say(`${count} tenants on ${where}`);
      const args = { name: `${count} tenants on ${where}`, runs: runs ?? pairs, state: grown, ours, flatDir: join(flat, `${count}`) };
      rows.push(await comparePreviews({ ...args, isWarm: rows.length > 0 }));
    }
    return rows;
  } finally {
    await project.dispose();
    rmSync(flat, { recursive: true, force: true });
  }
}

/** Tenants in turns on the hosts; the first one of each host is the one that really runs. */
function tenantsOn(hosts: readonly string[], count: number): TenantInput[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `client${String(index).padStart(4, "0")}`;
    return { id, name: "Acme Plumbing", host: hosts[index % hosts.length] ?? "", port: FIRST_PORT + index, size: "small", expose: ["controlUi", "hooks"] };
  });
}

/** Makes room for more tenants than a server has, in a copy of the program. */
function enlargeServers(dir: string): void {
  const file = join(dir, "plan", "server-types.ts");
  const table = readFileSync(file, "utf8");
  const enlarged = table.replace(`row("${LARGE_TYPE}", 32, 128,`, `row("${LARGE_TYPE}", 32, 512,`);
  if (enlarged === table) throw new Error(`${file} has no row of ${LARGE_TYPE} with 128 GiB`);
  writeFileSync(file, enlarged);
}

/** Where Cloudflare calls from, as the firewall of a server has it. */
function findProxyRanges(project: CloudProject): string[] {
  const [firewall] = Object.values(project.records("hcloud").items).filter(({ type }) => type === "Firewall");
  const https = Rules.parse(firewall?.inputs["rules"]).find(({ description }) => description === "https");
  if (https === undefined) throw new Error("the firewall has no rule for https");
  return https.sourceIps;
}
