import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { NO_CLOUD } from "../../plan/cloud.ts";
import { FIRST_PORT, type TenantInput } from "../../tenants/schema.ts";
import { readLocal } from "../../tools/local.ts";
import { createProject, ROOT } from "../support/project.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { growState, parseState } from "./fleet-state.ts";
import { comparePreviews, planCopy } from "./previews.ts";
import type { BenchOptions, Result, Row } from "./report.ts";

const COUNTS = [2, 50, 200];
/** Pairs of runs. */
const RUNS = 5;

/** Time of a preview that finds nothing to do, against a program that registers the same resources and does nothing else. */
export async function benchPreview({ runs = RUNS, say }: BenchOptions): Promise<Result> {
  const image = await buildStandIn(readLocal(ROOT));
  const project = await createProject((port) => tenantsOf(2, port), { image });
  const flat = mkdtempSync(join(tmpdir(), "openclaw-tenants-flat-"));
  try {
    await project.up();
    const { stdout } = await project.pulumi(["stack", "export", "--show-secrets"]);
    const state = parseState(stdout);
    const before = await planCopy(project, tenantsOf(2, project.port), NO_CLOUD);
    const rows: Row[] = [];
    for (const count of COUNTS) {
      const tenants = tenantsOf(count, project.port);
      const grown = growState(state, before, await planCopy(project, tenants, NO_CLOUD));
      project.writeTenants(tenants);
      say(`${count} tenants`);
      rows.push(await comparePreviews({ name: `${count} tenants`, runs, state: grown, ours: project, flatDir: join(flat, `${count}`) }));
    }
    return {
      rows,
      notes: [
        "preview: whole run of `pulumi preview --expect-no-changes`, alternating with the other program; median of the pairs' ratios. The other program registers the same resources with the same inputs from a list.",
        "preview: two tenants really ran, as a small HTTP server under the same container settings; the states of 50 and 200 are grown from theirs, and the preview itself checks that they are what the program would have made.",
      ],
    };
  } finally {
    await project.dispose();
    rmSync(flat, { recursive: true, force: true });
  }
}

/** The first two have the ports of this run; the others are never started. */
function tenantsOf(count: number, port: (index: number) => number): TenantInput[] {
  const real = [port(0), port(1)];
  const free = Array.from({ length: count }, (_, index) => FIRST_PORT + index).filter((each) => !real.includes(each));
  return [...real, ...free].slice(0, count).map((each, index) => {
    const id = `client${String(index).padStart(4, "0")}`;
    return { id, name: "Acme Plumbing", host: "local", port: each, size: "small", expose: ["controlUi", "hooks"] };
  });
}
