import { z } from "zod";

import { Tenant } from "../tenants/schema.ts";
import type { Keys } from "./changed-keys.ts";
import { type Cloud, hetznerHosts, NO_CLOUD } from "./cloud.ts";
import { type Fleet, planFleet } from "./fleet.ts";
import { type FleetInput, parseFleet } from "./parse.ts";
import { planSecrets, type SecretNames } from "./secrets.ts";
import type { Settings } from "./settings.ts";

/** What stands in a repository's files. */
export type VersionInput = Omit<FleetInput, "cloud" | "past"> & { keys: Keys };
/** The same with what a plan follows from besides. */
type PlannedInput = FleetInput & { keys: Keys };

/** One version of a stack's list and settings, with its plan. */
export interface Version {
  tenants: readonly Tenant[];
  settings: Settings;
  keys: Keys;
  fleet: Fleet;
}

const Place = z.object({ id: z.string(), host: z.string() });

/** Input of a version that is there already: its tenants and servers are where they are, and what it lacks to be updated is its own matter. */
export function asItIs(version: VersionInput): PlannedInput {
  return {
    ...version,
    secrets: { ...version.secrets, ...askedFor(version.tenants) },
    past: { tenants: placesOf(version.tenants), retained: {} },
    cloud: { ...NO_CLOUD, servers: serversOf(version.settings) },
  };
}

/** Input of a version that comes after another, as the update between them would find the world. Nobody asks the accounts. */
export function after(version: VersionInput, before: VersionInput | undefined): PlannedInput {
  const past = { tenants: placesOf(before?.tenants ?? []), retained: {} };
  return { ...version, past, cloud: { ...NO_CLOUD, servers: before === undefined ? {} : serversOf(before.settings) } };
}

/** Plans it. Throws a UserError with every mistake. */
export function planVersion(input: PlannedInput): Version {
  return { tenants: parseFleet(input), settings: input.settings, keys: input.keys, fleet: planFleet(input) };
}

function askedFor(entries: readonly unknown[]): SecretNames {
  return Object.fromEntries(
    entries.flatMap((entry) => {
      const { data } = Tenant.safeParse(entry);
      return data === undefined ? [] : [[data.id, planSecrets(data)]];
    }),
  );
}

/** Host of every tenant by id, as far as the entries can be read. */
function placesOf(entries: readonly unknown[]): Record<string, string> {
  return Object.fromEntries(
    entries.flatMap((entry) => {
      const { data } = Place.safeParse(entry);
      return data === undefined ? [] : [[data.id, data.host]];
    }),
  );
}

/** The servers that an update of these settings leaves behind. */
function serversOf(settings: Settings): Cloud["servers"] {
  return Object.fromEntries(
    hetznerHosts(settings).map(([id, { serverType, location, protected: isProtected, rebuild, dataGb }]) => [
      id,
      { serverType, location, isProtected, rebuild, dataGb },
    ]),
  );
}
