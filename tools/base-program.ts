import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { z } from "zod";

import type { FleetInput } from "../plan/parse.ts";

/** Of an earlier program's plan no more than this is believed to be what it is today. */
const Planned = z.object({ hosts: z.array(z.object({ tenants: z.array(z.object({ id: z.string(), configFile: z.object({ file: z.string() }) })) })) });
const Program = z.object({ planFleet: z.custom<(input: FleetInput) => unknown>((value) => typeof value === "function") });

/** Names of the config files that the program in a folder gives each tenant, by id. Absent: it takes another input, or gives another plan, than today's. */
export async function renderByProgram(dir: string, input: FleetInput): Promise<Record<string, string> | undefined> {
  try {
    const { planFleet } = Program.parse(await import(pathToFileURL(join(dir, "plan", "fleet.ts")).href));
    const { hosts } = Planned.parse(planFleet(input));
    return Object.fromEntries(hosts.flatMap(({ tenants }) => tenants.map(({ id, configFile }) => [id, configFile.file])));
  } catch {
    // Whatever it stumbles over, it is not today's; the reviewer is told that it could not be asked.
    return undefined;
  }
}
