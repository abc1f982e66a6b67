import type { Item, Records } from "../world.ts";
import type { Effect } from "./machines.ts";

/** Off without asking, and on again. */
export function powerCycle(records: Records, server: Item): Effect[] {
  const { type, name } = server;
  for (const on of ["powerOff", "powerOn"] as const) records.log.push({ on, type, name });
  server.outputs["status"] = "running";
  return [(machines, world) => machines.powerCycle(world, name)];
}
