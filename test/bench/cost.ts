import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { TenantInput } from "../../tenants/schema.ts";
import { readLocal } from "../../tools/local.ts";
import { createProject, ROOT, type TestProject } from "../support/project.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { startCountingProxy } from "./counting-proxy.ts";
import { parseState } from "./fleet-state.ts";
import type { BenchOptions, Result } from "./report.ts";

/** Asked again and again while a container starts, so it grows with the time that takes. */
const ASKS_FOR_STATE = "GET /containers/{id}/json";

/** What one tenant costs: resources in the state, and requests to Docker. */
export async function benchCost({ say }: BenchOptions): Promise<Result> {
  const local = readLocal(ROOT);
  const folder = mkdtempSync(join(tmpdir(), "openclaw-tenants-proxy-"));
  const project = await createProject((port) => tenants(2, port), { image: await buildStandIn(local) });
  const proxy = await startCountingProxy(join(folder, "docker.sock"), local.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock");
  try {
    const count = async (...args: string[]): Promise<Map<string, number>> => {
      proxy.take();
      const { exitCode, output } = await project.pulumi(["up", "--yes", "--skip-preview", ...args], { env: { DOCKER_HOST: proxy.endpoint } });
      if (exitCode !== 0) throw new Error(`pulumi up ended with ${exitCode}:\n${output}`);
      return proxy.take();
    };
    say("two tenants");
    await count();
    const refreshTwo = total(await count("--refresh"));
    const resourcesTwo = await countResources(project);
    say("a third");
    project.writeTenants(tenants(3, project.port));
    const added = await count();
    const resourcesThree = await countResources(project);
    const unchanged = await count();
    const refreshThree = total(await count("--refresh"));
    const asks = added.get(ASKS_FOR_STATE) ?? 0;
    return {
      rows: [
        { name: "resources in the state per tenant", ours: `${resourcesThree - resourcesTwo}` },
        { name: "requests to Docker, adding a tenant", ours: `${total(added)}, of which ${asks} ask for a container's state` },
        { name: "requests to Docker, an up that changes nothing, 3 tenants", ours: `${total(unchanged)}` },
        { name: "requests to Docker per tenant, a refresh", ours: `${refreshThree - refreshTwo}` },
      ],
      notes: [
        "requests: counted between the engine and Docker, with a small HTTP server under the same container settings in OpenClaw's place; while a gateway starts its state is asked for more often.",
        `requests, adding a tenant: ${[...added]
          .toSorted(([, a], [, b]) => b - a)
          .map(([what, times]) => `${times}x ${what}`)
          .join(", ")}.`,
      ],
    };
  } finally {
    await proxy.close();
    await project.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function countResources(project: TestProject): Promise<number> {
  return parseState(await project.exportState()).deployment.resources.length;
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, each) => sum + each, 0);
}

function tenants(count: number, port: (index: number) => number): TenantInput[] {
  return Array.from({ length: count }, (_, index) => ({ id: `client${index}`, name: `Client ${index}`, host: "local", port: port(index), size: "small" }));
}
