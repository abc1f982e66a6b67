import { renderTable as renderMarkdown } from "../templates/markdown.ts";
import { findHosts, type KnownHost } from "./connections.ts";
import { nameOfStack, readDeployment } from "./deployment.ts";
import { LOCAL_STACK, readEnv } from "./local.ts";
import { readTenants, type Tenant } from "./outputs.ts";
import { type Health, renderTable, tableOf, type TenantReport } from "./table.ts";

export interface HealthArgs {
  projectDir: string;
  stack: string;
  /** Whether it is for GitHub, not for a terminal. */
  markdown: boolean;
}

/** What a host says of the gateways on it, by container. */
interface Gateways {
  health: ReadonlyMap<string, Health>;
  memory: ReadonlyMap<string, string>;
}

/** Shows how every tenant of a stack is, by the word of its host's Docker. Gives the exit code: 1 when one that should run is not healthy. */
export async function showHealth({ projectDir, stack, markdown }: HealthArgs): Promise<number> {
  const env = stack === LOCAL_STACK ? readEnv(projectDir) : {};
  const [tenants, { deployment }] = await Promise.all([readTenants(projectDir, stack, env), readDeployment({ projectDir, stack, env })]);
  const hosts = findHosts(deployment.resources, { env }).map(async (host) => [host.id, await askGateways(host, nameOfStack(stack))] as const);
  const asked = new Map(await Promise.all(hosts));
  const reports = tenants.map((tenant) => report(tenant, asked.get(tenant.host)));
  const [head = [], ...rows] = tableOf(reports);
  process.stdout.write(`${markdown ? renderMarkdown(head, rows).join("\n") : renderTable(reports)}\n`);
  return reports.every(({ health }) => health === "healthy" || health === "suspended") ? 0 : 1;
}

function report(tenant: Tenant, gateways: Gateways | undefined): TenantReport {
  const { container, status } = tenant;
  const memory = gateways?.memory.get(container);
  if (status !== "active") return { ...tenant, health: "suspended", memory };
  return { ...tenant, health: gateways === undefined ? "host not answering" : (gateways.health.get(container) ?? "not running"), memory };
}

/** Absent: nothing answers there. */
async function askGateways({ docker }: KnownHost, stack: string): Promise<Gateways | undefined> {
  const ofStack = ["label=openclaw-tenants.stack", "label=openclaw-tenants.role"].map((label, index) => `${label}=${[stack, "gateway"][index] ?? ""}`);
  const running = await docker(["ps", ...ofStack.flatMap((filter) => ["--filter", filter]), "--format", "{{.Names}}\t{{.Status}}"]);
  if (!running.isFine) return undefined;
  const lines = fieldsOf(running.stdout);
  const health = new Map(lines.map(([name, status]) => [name, healthOf(status)]));
  const stats = health.size === 0 ? undefined : await docker(["stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}", ...health.keys()]);
  return { health, memory: new Map(fieldsOf(stats?.stdout ?? "")) };
}

/** From Docker's own words, such as "Up 2 hours (healthy)". */
function healthOf(status: string): Health {
  if (status.includes("(healthy)")) return "healthy";
  return status.includes("(health: starting)") ? "starting" : "unhealthy";
}

function fieldsOf(text: string): [string, string][] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"))
    .map(([name = "", value = ""]) => [name, value]);
}
