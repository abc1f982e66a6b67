import { UserError } from "../lib/errors.ts";
import { renderTable as renderMarkdown } from "../templates/markdown.ts";
import { findHosts, type KnownHost } from "./connections.ts";
import { nameOfStack, readDeployment } from "./deployment.ts";
import { LOCAL_STACK, readEnv } from "./local.ts";
import { readTenants, type Tenant } from "./outputs.ts";
import { type Health, renderTable, tableOf, type TenantReport } from "./table.ts";

/** Nobody waits longer for a host that takes a connection and says nothing. */
const PATIENCE_MS = 60_000;

export interface HealthArgs {
  projectDir: string;
  stack: string;
  /** Whether it is for GitHub, not for a terminal. */
  markdown: boolean;
  /** Id of the one whose health decides over the exit code. Default: everybody's. */
  tenant?: string | undefined;
}

/** What a host says of the gateways on it, by container. */
interface Gateways {
  health: ReadonlyMap<string, Health>;
  memory: ReadonlyMap<string, string>;
}

/** Shows how every tenant of a stack is, by the word of its host's Docker. Gives the exit code: 1 when one that should run is not healthy. Throws a UserError when the one that is to decide is not among them. */
export async function showHealth({ projectDir, stack, markdown, tenant: only }: HealthArgs): Promise<number> {
  const env = stack === LOCAL_STACK ? readEnv(projectDir) : {};
  const [tenants, { deployment }] = await Promise.all([readTenants(projectDir, stack, env), readDeployment({ projectDir, stack, env })]);
  const hosts = findHosts(deployment.resources, { env, timeoutMs: PATIENCE_MS }).map(
    async (host) => [host.id, await askGateways(host, nameOfStack(stack))] as const,
  );
  const asked = new Map(await Promise.all(hosts));
  const reports = tenants.map((tenant) => report(tenant, asked.get(tenant.host)));
  const [head = [], ...rows] = tableOf(reports);
  // GitHub makes links of addresses, and these are the fleet's own.
  process.stdout.write(`${markdown ? renderMarkdown(head, rows).join("\n").replaceAll(":\\//", "://") : renderTable(reports)}\n`);
  if (only !== undefined && reports.every(({ id }) => id !== only))
    throw new UserError(`the stack has no tenant "${only}"`, { hint: `it has ${reports.map(({ id }) => id).join(", ") || "none"}` });
  const deciding = reports.filter(({ id }) => only === undefined || id === only);
  return deciding.every(({ health }) => health === "healthy" || health === "suspended") ? 0 : 1;
}

function report(tenant: Tenant, gateways: Gateways | undefined): TenantReport {
  const { container, status } = tenant;
  const running = gateways?.health.get(container);
  // After an update of one tenant alone the outputs tell of others what is still to be done: one to be suspended may run.
  const idle = status === "active" ? "not running" : "suspended";
  return {
    ...tenant,
    health: running ?? (gateways === undefined && status === "active" ? "host not answering" : idle),
    memory: gateways?.memory.get(container),
  };
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
