import type { Cloud } from "../../plan/cloud.ts";
import { HOST } from "../support/cloud-project.ts";
import type { OfferedType } from "../standin/hcloud/offers.ts";
import { writeJson } from "../standin/world.ts";

/** Holds 79 small tenants; the stand-in of Hetzner offers nothing as large by itself. */
export const LARGE_TYPE = "ccx53";

const OFFER: OfferedType = {
  name: LARGE_TYPE,
  cores: 32,
  memory: 128,
  disk: 600,
  architecture: "x86",
  isDeprecated: false,
  locations: [{ name: HOST.location, available: true, recommended: true, isDeprecated: false }],
};

/** Lets a world sell large servers, and nothing else. */
export function sellLargeServers(world: string): void {
  writeJson(world, "offers.json", [OFFER]);
}

/** Such servers as the plan finds them once they run. */
export function runningServers(hosts: readonly string[]): Cloud["servers"] {
  const { location, dataGb } = HOST;
  return Object.fromEntries(hosts.map((host) => [host, { serverType: LARGE_TYPE, location, isProtected: true, rebuild: undefined, dataGb }]));
}
