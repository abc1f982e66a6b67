import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

import type { Past } from "../plan/checks.ts";

/** The outputs of index.ts that the next run needs; both are missing before the first. */
const Remembered = z.object({
  tenants: z.record(z.string(), z.object({ host: z.string() })).default({}),
  retained: z.record(z.string(), z.string()).default({}),
});

/** What the last update of this very stack said: a list of tenants shows only today. Read from the stack's own outputs, in previews too. */
export async function readPast(): Promise<Past> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = (await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name })) as { outputs: unknown };
  const { tenants, retained } = Remembered.parse(outputs ?? {});
  return { tenants: Object.fromEntries(Object.entries(tenants).map(([id, { host }]) => [id, host])), retained };
}
