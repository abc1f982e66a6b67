import * as z from "zod";

import { type Call, exclusively, readJson, writeJson } from "./world.ts";

const Fault = z.discriminatedUnion("kind", [
  /** A plain HTTP failure. */
  z.strictObject({ kind: z.literal("status"), status: z.int().min(500).max(599) }),
  z.strictObject({ kind: z.literal("rate-limit"), retryAfterSeconds: z.number().min(0) }),
  z.strictObject({ kind: z.literal("sold-out") }),
  z.strictObject({ kind: z.literal("limit") }),
  z.strictObject({ kind: z.literal("name-taken") }),
  /** No answer, and nothing done. */
  z.strictObject({ kind: z.literal("hang") }),
  /** No answer, though it was done. */
  z.strictObject({ kind: z.literal("hang-after") }),
  /** It was done, then the plug-in died. */
  z.strictObject({ kind: z.literal("crash-after") }),
]);

const Plan = z.strictObject({
  api: z.enum(["hcloud", "cloudflare"]),
  on: z.enum(["create", "update", "delete", "read", "invoke"]),
  /** `Server`, or a function's name. */
  type: z.string(),
  /** Default: whatever its name. */
  name: z.string().optional(),
  /** Answers that are like this; each retry of the plug-in's own takes one as well. */
  times: z.int().min(1).default(1),
  fault: Fault,
});

export type Fault = z.output<typeof Fault>;

const FILE = "faults.json";

/** Makes calls to come fail, instead of those that were to fail before. */
export function planFaults(world: string, plans: readonly z.input<typeof Plan>[]): void {
  exclusively(world, () => {
    writeJson(world, FILE, z.array(Plan).parse(plans));
  });
}

/** How many answers are still to go wrong. */
export function countFaults(world: string): number {
  return z
    .array(Plan)
    .parse(readJson(world, FILE, []))
    .reduce((sum, { times }) => sum + times, 0);
}

/** What is to go wrong with a call, which then is done with. */
export function takeFault(world: string, api: string, { on, type, name }: Call): Fault | undefined {
  return exclusively(world, () => {
    const plans = z.array(Plan).parse(readJson(world, FILE, []));
    const verb = on === "list" ? "invoke" : on;
    const plan = plans.find((each) => each.api === api && each.on === verb && each.type === type && (each.name ?? name) === name);
    if (plan === undefined) return undefined;
    plan.times--;
    writeJson(
      world,
      FILE,
      plans.filter(({ times }) => times > 0),
    );
    return plan.fault;
  });
}
