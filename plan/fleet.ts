import type { JsonObject } from "../lib/json.ts";
import { shortHash } from "../lib/hash.ts";
import { parseImage } from "../lib/image.ts";
import { MistakesError } from "../lib/mistakes.ts";
import { planDns, type PlannedDns } from "./dns.ts";
import { planHost, type PlannedHost, type PlannedTenant, SKILLS_PATH } from "./host.ts";
import { findConfigMistakes, keptVersions } from "./openclaw-schema.ts";
import { type FleetInput, parseFleet } from "./parse.ts";
import type { Settings } from "./settings.ts";

/** What the program creates; complete before anything exists. */
export interface Fleet {
  stack: string;
  caddyImage: string;
  startTimeoutSeconds: number;
  hosts: PlannedHost[];
  /** Names at Cloudflare. Absent: nobody's zone is set. */
  dns: PlannedDns | undefined;
  /** What servers at Hetzner share. */
  hetzner: Settings["hetzner"];
  /** Operators' public keys by name. */
  operators: Settings["operators"];
  /** Names that origin certificates are for, and whether callers must carry one as well. Absent: nobody stands in front. */
  origin: { hostnames: string[]; hasPulls: boolean } | undefined;
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
  if (mistakes.length > 0) throw new MistakesError(`the tenants list of stack "${stack}"`, mistakes);

  const kept = { ...past.retained, ...past.tenants };
  const retained = Object.fromEntries(Object.entries(kept).filter(([id]) => !tenants.some((tenant) => tenant.id === id)));
  const { caddyImage, startTimeoutSeconds, hetzner, operators, domain } = settings;
  const origin = hosts.some(({ edge }) => edge.tls === "origin")
    ? { hostnames: [`*.${domain}`, domain], hasPulls: settings.dns?.originPulls === true }
    : undefined;
  return { stack, caddyImage, startTimeoutSeconds, hosts, dns: planDns(stack, settings, hosts), hetzner, operators, origin, retained };
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
