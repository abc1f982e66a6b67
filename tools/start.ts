import { runInForeground } from "./command.ts";
import { readMemory, refuseForeignFleet, startStopped } from "./fleet.ts";
import { waitUntilHealthy } from "./health.ts";
import { LOCAL_STACK } from "./local.ts";
import { readTenants } from "./outputs.ts";
import { recover } from "./recover.ts";
import type { SetUp } from "./set-up.ts";
import { renderNextSteps, renderTable, type TenantReport } from "./table.ts";

const HEALTHY_MS = 120_000;

/** Brings the local fleet up to date, waits until every tenant answers, and shows how they are. Gives the exit code. */
export async function start(projectDir: string, { docker, env }: SetUp): Promise<number> {
  await refuseForeignFleet(projectDir, docker.endpoint);
  await recover({ projectDir, stack: LOCAL_STACK, env });
  const isWhole = await startStopped(projectDir, docker.endpoint);
  const args = ["up", "--stack", LOCAL_STACK, "--yes", "--skip-preview", "--suppress-outputs", ...(isWhole ? [] : ["--refresh"])];
  const code = await runInForeground("pulumi", args, { cwd: projectDir, env });

  // Also after a failure: one sick tenant keeps nobody from seeing the others.
  const tenants = await readTenants(projectDir, LOCAL_STACK, env);
  if (tenants.length === 0) return code;
  const deadline = Date.now() + (code === 0 ? HEALTHY_MS : 0);
  const reading = readMemory(docker.endpoint);
  const health = await Promise.all(
    tenants.map(async ({ url, status }): Promise<TenantReport["health"]> => {
      if (status !== "active") return "suspended";
      return (await waitUntilHealthy(url, deadline)) ? "healthy" : "not answering";
    }),
  );
  const memory = await reading;
  const reports = tenants.map((tenant, index): TenantReport => ({ ...tenant, health: health[index] ?? "not answering", memory: memory.get(tenant.container) }));
  process.stdout.write(`\n${renderTable(reports)}\n`);
  const example = reports.find((report) => report.health === "healthy");
  if (example !== undefined) process.stdout.write(`\n${renderNextSteps(example)}\n`);
  return reports.some((report) => report.health === "not answering") ? 1 : code;
}
