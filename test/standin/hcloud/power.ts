import type { Call, Item, Records } from "../world.ts";
import type { Effect } from "./machines.ts";

/** Writes down what was done to a server. */
export function logPower(records: Records, on: Call["on"], { type, name }: Item): void {
  records.log.push({ on, type, name });
}

/** Off without asking, and on again. */
export function powerCycle(records: Records, server: Item): Effect[] {
  logPower(records, "powerOff", server);
  logPower(records, "powerOn", server);
  server.outputs["status"] = "running";
  const { name } = server;
  return [(machines, world) => machines.powerCycle(world, name)];
}
