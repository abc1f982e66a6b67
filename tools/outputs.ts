import { z } from "zod";

import { run } from "./command.ts";

const Outputs = z.object({
  tenants: z.record(z.string(), z.object({ id: z.string(), url: z.string(), host: z.string(), container: z.string(), status: z.string() })).default({}),
});

/** A tenant as the stack's outputs describe it. */
export type Tenant = z.output<typeof Outputs>["tenants"][string];

/** The tenants of a stack, by id, as its last update left them. */
export async function readTenants(projectDir: string, stack: string, env: Readonly<Record<string, string>>): Promise<Tenant[]> {
  const json = await run("reading the outputs", "pulumi", ["stack", "output", "--json", "--stack", stack], { cwd: projectDir, env });
  const { tenants } = Outputs.parse(JSON.parse(json));
  return Object.values(tenants).toSorted((a, b) => a.id.localeCompare(b.id));
}
