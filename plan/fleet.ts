import type { JsonObject } from "../lib/json.ts";
import { shortHash } from "../lib/hash.ts";
import { parseImage } from "../lib/image.ts";
import { mistakesError } from "../lib/mistakes.ts";
import { planHost, type PlannedHost, type PlannedTenant, SKILLS_PATH } from "./host.ts";
import { findConfigMistakes, keptVersions } from "./openclaw-schema.ts";
import { type FleetInput, parseFleet } from "./parse.ts";

/** What the program creates; complete before anything exists. */
export interface Fleet {
  stack: string;
  caddyImage: string;
  startTimeoutSeconds: number;
  hosts: PlannedHost[];
  /** Host of every removed tenant whose data is kept, by id. */
  retained: Record<string, string>;
}

/**
 * Decides everything: equal input gives equal output, and no tenant's place depends on another.
 * Throws one UserError with every mistake of the list.
 */
export function planFleet(input: FleetInput): Fleet {
  const { stack, settings, library, past } = input;
  const tenants = parseFleet(input);
  const libraryPath = `${SKILLS_PATH}/${shortHash(JSON.stringify(library.files))}`;

  const hosts = Object.entries(settings.hosts)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, host]) => planHost({ id, host, tenants: tenants.filter((tenant) => tenant.host === id), libraryPath }, input));

  const mistakes = hosts.flatMap(({ tenants: planned }) => planned.flatMap(findRenderedMistakes));
  if (mistakes.length > 0) throw mistakesError(`the tenants list of stack "${stack}"`, mistakes);

  const kept = { ...past.retained, ...past.tenants };
  const retained = Object.fromEntries(Object.entries(kept).filter(([id]) => !tenants.some((tenant) => tenant.id === id)));
  return { stack, caddyImage: settings.caddyImage, startTimeoutSeconds: settings.startTimeoutSeconds, hosts, retained };
}

/** An overlay that this version of OpenClaw would refuse, or that cannot be checked because its schema is not kept. */
function findRenderedMistakes({ id, image, configFile, hasOverlay }: PlannedTenant): string[] {
  if (!hasOverlay) return [];
  const { version = "" } = parseImage(image);
  if (!keptVersions().includes(version))
    return [
      `tenant "${id}", field config: the schema of OpenClaw ${version} is not kept here, so an overlay cannot be checked; there are ${keptVersions().join(", ")}`,
    ];
  return findConfigMistakes(version, JSON.parse(configFile.text) as JsonObject).map((line) => `tenant "${id}", field config.${line}`);
}
