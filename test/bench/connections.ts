import { readLocal } from "../../tools/local.ts";
import { findServerLack } from "../standin/machine/lack.ts";
import { type CloudProject, clientOn, createCloudProject } from "../support/cloud-project.ts";
import { ROOT } from "../support/project.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { LARGE_TYPE, sellLargeServers } from "./large-server.ts";
import type { BenchOptions, Result, Row } from "./report.ts";

const FLEETS = [1, 10, 40];
const HOST_ID = "host-1";
/** Of sshd on the server. */
const LOG = "/var/log/auth.log";

/** What a run of the engine asked for. */
interface Usage {
  connections: number;
  /** Lines of sshd's that say it dropped connections. */
  drops: string[];
  hetzner: number;
  cloudflare: number;
}

/** How many SSH connections and API calls an update takes, by the number of tenants on one server. */
export async function benchConnections({ say }: BenchOptions): Promise<Result> {
  const lack = findServerLack();
  if (lack !== undefined) return { rows: [], notes: [`connections: not run: ${lack}`] };
  const rows: Row[] = [];
  for (const size of FLEETS) rows.push(...(await measure(size, say)));
  return {
    rows,
    notes: [
      "connections: logins that sshd of a stand-in server noted with the limits of templates/cloud-init.yaml, everything included: Docker's, the commands that wait for the server, the hooks; dropped is what its log says of MaxStartups.",
      "connections: calls are what the stand-ins for Hetzner's and Cloudflare's plug-ins count, one an operation; Hetzner's own plug-in also asks whether its actions have ended.",
      "connections: a small HTTP server stands for OpenClaw at every size, so that the sizes compare; it is healthy at the first check, and a slower start asks for its state more often, over the same connections.",
    ],
  };
}

async function measure(size: number, say: BenchOptions["say"]): Promise<Row[]> {
  const project = await createCloudProject({ image: await buildStandIn(readLocal(ROOT)), hasMachines: true });
  try {
    sellLargeServers(project.world);
    project.writeHosts({ [HOST_ID]: { serverType: LARGE_TYPE } }, { startTimeoutSeconds: 1200 });
    const take = startCounting(project);
    const rows: Row[] = [];
    const count = async (what: string, tenants: number, ...args: string[]): Promise<void> => {
      const where = `${tenants} ${tenants === 1 ? "tenant" : "tenants"} on a server`;
      say(`${what}, ${where}`);
      project.writeTenants(Array.from({ length: tenants }, (_, index) => clientOn(project, HOST_ID, index, `client${index}`)));
      await project.up(...args);
      rows.push({ name: `${what}, ${where}`, ours: render(await take()) });
    };
    await count("up from nothing", size);
    await count("up that changes nothing", size, "--expect-no-changes");
    await count("up --refresh that changes nothing", size, "--refresh", "--expect-no-changes");
    await count("up that adds one", size + 1);
    return rows;
  } finally {
    await project.dispose();
  }
}

/** Gives what has been used since it was last asked. */
function startCounting(project: CloudProject): () => Promise<Usage> {
  const seen = { sshd: 0, hcloud: 0, cloudflare: 0 };
  const since = <T>(log: keyof typeof seen, all: readonly T[]): T[] => {
    const news = all.slice(seen[log]);
    seen[log] = all.length;
    return news;
  };
  return async () => {
    const lines = since("sshd", (await project.onHost(HOST_ID, `cat ${LOG}`)).split("\n"));
    return {
      connections: lines.filter((line) => line.includes("Accepted publickey")).length,
      drops: lines.filter((line) => /MaxStartups|drop connection/.test(line)),
      hetzner: since("hcloud", project.records("hcloud").log).length,
      cloudflare: since("cloudflare", project.records("cloudflare").log).length,
    };
  };
}

function render({ connections, drops, hetzner, cloudflare }: Usage): string {
  const dropped = drops.length === 0 ? "none dropped" : `dropped: ${drops.join("; ")}`;
  return `${connections} SSH connections, ${dropped}; ${hetzner} calls to Hetzner, ${cloudflare} to Cloudflare`;
}
