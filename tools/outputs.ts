import { z } from "zod";

import { run } from "./command.ts";
import { LOCAL_STACK } from "./local.ts";

const Outputs = z.object({
  tenants: z.record(z.string(), z.object({ id: z.string(), url: z.string(), container: z.string(), status: z.string() })).default({}),
});

/** A tenant as the stack's outputs describe it. */
export type Tenant = z.output<typeof Outputs>["tenants"][string];

/** The tenants of the local stack, by id, as its last update left them. */
export async function readTenants(projectDir: string, env: Readonly<Record<string, string>>): Promise<Tenant[]> {
  const json = await run("reading the outputs", "pulumi", ["stack", "output", "--json", "--stack", LOCAL_STACK], { cwd: projectDir, env });
  const { tenants } = Outputs.parse(JSON.parse(json));
  return Object.values(tenants).toSorted((a, b) => a.id.localeCompare(b.id));
}
