import { describe } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** What this machine lacks for the test. */
    missing?: string;
  }
}

/**
 * A suite that needs something of the machine. `missing` says what is not there ("no OpenClaw image; npm test builds it"), and is undefined when all
 * is: then the suite runs. Otherwise none of it runs, hooks included, and the end of the run names the reason.
 */
export function describeWhere(name: string, missing: string | undefined, body: () => void): void {
  if (missing === undefined) describe(name, body);
  else describe(name, { skip: true, meta: { missing } }, body);
}
