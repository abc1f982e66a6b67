import * as z from "zod";

import { readJson } from "../world.ts";

export interface Zone {
  id: string;
  name: string;
}

/** The one zone that a world has of itself. Written in `zones.json`, a list of others takes its place. */
export const ZONE: Zone = { id: "023e105f4ecef8ad9ca31a8372d0c353", name: "example.com" };

/** How the API writes an id. */
export const Id = z.string().regex(/^[0-9a-f]{32}$/, "must be 32 hexadecimal digits");

/** The zones of an account. */
export function readZones(world: string): readonly Zone[] {
  return readJson<readonly Zone[]>(world, "zones.json", [ZONE]);
}

/** Whether a name is a zone's own, or one below it. */
export function isWithin(name: string, zone: Zone): boolean {
  return name === zone.name || name.endsWith(`.${zone.name}`);
}
