import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { createProject, type ProjectSettings, type StackOutputs, type TestProject } from "../support/project.ts";
import { bearer, type RawAnswer, type RawRequest, send } from "../support/http.ts";
import type { TenantInput } from "../../tenants/schema.ts";

/** A fleet that runs, and the ways to speak to it. */
export interface RunningFleet extends StackOutputs {
  readonly project: TestProject;
  /** Host name of a tenant with Caddy's port, as a browser writes it. */
  readonly hostOf: (tenant: string) => string;
  /** Asks a tenant through Caddy. */
  readonly viaCaddy: (tenant: string, request: Omit<RawRequest, "host">) => Promise<RawAnswer>;
  /** Asks a tenant on the port that its gateway has on this machine, past Caddy. */
  readonly onLoopback: (tenant: string, request: Omit<RawRequest, "host">) => Promise<RawAnswer>;
  /** Calls the gateway's admin RPC with its token and returns the payload. */
  readonly rpc: (tenant: string, method: string, params?: object) => Promise<unknown>;
  /** Runs a command in a tenant's container; what it printed on stdout. */
  readonly exec: (tenant: string, ...command: string[]) => Promise<string>;
}

export interface StartOptions {
  settings?: ProjectSettings;
  /** Values by tenant and name, set as an operator would. */
  secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Files put into the project before the first `up`: content by path. */
  files?: Readonly<Record<string, string>>;
}

/** Brings a fleet up with the real images; the caller disposes of `project`. On failure nothing is left. */
export async function startFleet(
  tenants: (port: (index: number) => number) => readonly TenantInput[],
  { settings, secrets = {}, files = {} }: StartOptions = {},
): Promise<RunningFleet> {
  const project = await createProject(tenants, { startTimeoutSeconds: 540, ...settings });
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(project.dir, path)), { recursive: true });
      writeFileSync(join(project.dir, path), content);
    }
    for (const [tenant, values] of Object.entries(secrets)) {
      for (const [name, value] of Object.entries(values))
        await project.pulumi(["config", "set", "--secret", "--path", `openclaw-tenants:secrets.${tenant}.${name}`, value]);
    }
    await project.up();
    const fleet = speakTo(project, await project.outputs());
    for (const { id, status } of Object.values(fleet.tenants)) if (status === "active") await waitUntilStarted(fleet, id);
    return fleet;
  } catch (error) {
    await project.dispose();
    throw error;
  }
}

/** A gateway is alive before it is ready: until then it turns WebSockets away and watches no file. */
async function waitUntilStarted({ onLoopback, tokens }: Pick<RunningFleet, "onLoopback" | "tokens">, tenant: string): Promise<void> {
  const request = { target: "/startupz", headers: bearer(tokens[tenant]?.gateway ?? "") };
  const deadline = Date.now() + 300_000;
  while ((await onLoopback(tenant, request)).status !== 200) {
    if (Date.now() > deadline) throw new Error(`the gateway of ${tenant} is not ready after five minutes`);
    await setTimeout(200);
  }
}

function speakTo(project: TestProject, outputs: StackOutputs): RunningFleet {
  const portOf = (tenant: string): number => outputs.tenants[tenant]?.port ?? 0;
  const hostOf = (tenant: string): string => `${tenant}.localhost:${project.httpPort}`;
  const onLoopback: RunningFleet["onLoopback"] = async (tenant, request) => send(portOf(tenant), { ...request, host: `127.0.0.1:${portOf(tenant)}` });
  return {
    ...outputs,
    project,
    hostOf,
    onLoopback,
    viaCaddy: async (tenant, request) => send(project.httpPort, { ...request, host: hostOf(tenant) }),
    rpc: async (tenant, method, params = {}) => {
      const headers = bearer(outputs.tokens[tenant]?.gateway ?? "");
      const response = await fetch(`http://127.0.0.1:${portOf(tenant)}/api/v1/admin/rpc`, {
        method: "POST",
        headers,
        body: JSON.stringify({ method, params }),
      });
      const answer = (await response.json()) as { ok: boolean; payload?: unknown };
      if (!answer.ok) throw new Error(`${method} of tenant ${tenant} answered ${response.status}: ${JSON.stringify(answer)}`);
      return answer.payload;
    },
    exec: async (tenant, ...command) => project.docker("exec", outputs.tenants[tenant]?.container ?? "", ...command),
  };
}
