import type { Tenant } from "./outputs.ts";
import { LOCAL_STACK } from "./local.ts";

/** How a tenant is. */
export type Health = "healthy" | "host not answering" | "not answering" | "not running" | "starting" | "suspended" | "unhealthy";

/** A tenant and how it is. */
export interface TenantReport extends Tenant {
  health: Health;
  /** In use and allowed, in Docker's words; absent when it does not run. */
  memory: string | undefined;
}

/** The tenants, a row each, under a head. */
export function tableOf(tenants: readonly TenantReport[]): string[][] {
  return [["tenant", "URL", "health", "memory in use / limit"], ...tenants.map(({ id, url, health, memory }) => [id, url, health, memory ?? "-"])];
}

/** The tenants, one line each. */
export function renderTable(tenants: readonly TenantReport[]): string {
  const rows = tableOf(tenants);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}

/** What an operator does next, written out for one tenant. */
export function renderNextSteps({ id, url, container }: Tenant): string {
  return [
    `What to do next, for ${id}:`,
    "  get its token        npm run -s pulumi -- stack output tokens --show-secrets",
    `  open its Control UI  ${url} (it asks for the gateway token)`,
    `  approve the browser  docker exec ${container} node openclaw.mjs devices list`,
    `                       docker exec ${container} node openclaw.mjs devices approve <requestId>`,
    `  add a Telegram bot   telegram: {} in its entry in tenants/${LOCAL_STACK}.ts, then`,
    `                       npm run pulumi -- config set --secret --path 'secrets.${id}.TELEGRAM_BOT_TOKEN'`,
    "                       npm start",
  ].join("\n");
}
