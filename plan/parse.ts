import type { z } from "zod";

import { describeIssues, MistakesError } from "../lib/mistakes.ts";
import { Tenant } from "../tenants/schema.ts";
import { findClashes, findFullHosts, findPastMistakes, findPlacementMistakes, findSkillMistakes, type Past } from "./checks.ts";
import { type Cloud, findCloudMistakes } from "./cloud.ts";
import { findLibraryMistakes, type PlacedFile, type SkillLibrary } from "./files.ts";
import { findModelMistakes } from "./model.ts";
import { findOverlayMistakes } from "./overlay.ts";
import { findMissingSecrets, type SecretNames } from "./secrets.ts";
import type { Settings } from "./settings.ts";

/** Everything a plan follows from. */
export interface FleetInput {
  stack: string;
  /** The list as the operator wrote it. */
  tenants: readonly unknown[];
  settings: Settings;
  secrets: SecretNames;
  library: SkillLibrary;
  /** Files a tenant's workspace starts with, by id. */
  seeds: Readonly<Record<string, readonly PlacedFile[]>>;
  past: Past;
  cloud: Cloud;
}

/** Parses every entry and holds the sound ones against each other, the settings and the past. Throws all mistakes at once. */
export function parseFleet({ stack, tenants: entries, settings, secrets, library, past, cloud }: FleetInput): Tenant[] {
  const results = entries.map((entry, index) => ({ entry, index, result: Tenant.safeParse(entry) }));
  const tenants = results.flatMap(({ entry, result }) => result.data ?? salvage(entry, result.error) ?? []);
  const mistakes = [
    ...results.flatMap(({ entry, index, result }) =>
      result.success ? [] : describeIssues(result.error, Tenant, entry).map((line) => `${nameEntry(entry, index)}, ${line}`),
    ),
    ...findClashes(tenants),
    ...tenants.flatMap((tenant) => [
      ...findPlacementMistakes(tenant, settings),
      ...findPastMistakes(tenant, past, settings.hosts),
      ...findModelMistakes(tenant),
      ...findOverlayMistakes(tenant),
      ...findMissingSecrets(tenant, stack, secrets),
    ]),
    // Without those whose limits or status could not be read.
    ...findFullHosts(
      results.flatMap(({ result }) => result.data ?? []),
      settings.hosts,
    ),
    ...findCloudMistakes(settings, cloud),
    ...findLibraryMistakes(library),
    ...findSkillMistakes(tenants, library.names),
  ];
  if (mistakes.length > 0) throw new MistakesError(`the tenants list of stack "${stack}"`, mistakes);
  return tenants;
}

/** The entry without its wrong fields, so that what is wrong with the others is told in the same run. */
function salvage(entry: unknown, error: z.ZodError<Tenant>): Tenant | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const wrong: unknown[] = error.issues.flatMap((issue) => (issue.code === "unrecognized_keys" && issue.path.length === 0 ? issue.keys : [issue.path[0]]));
  // Which secrets an overlay may name follows from these.
  if (["env", "model", "telegram"].some((key) => wrong.includes(key))) wrong.push("config");
  return Tenant.safeParse(Object.fromEntries(Object.entries(entry).filter(([key]) => !wrong.includes(key)))).data;
}

function nameEntry(entry: unknown, index: number): string {
  const id = typeof entry === "object" && entry !== null && "id" in entry ? entry.id : undefined;
  return typeof id === "string" ? `tenant ${JSON.stringify(id)}` : `tenant number ${index + 1}`;
}
