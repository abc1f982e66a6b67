import { conjoinQuoted, count, quoted } from "../lib/prose.ts";
import type { Comparison, FieldChange, Warning } from "../templates/comparison.ts";
import { compareHosts } from "./compare-hosts.ts";
import { diffFields } from "./compare-fields.ts";
import { diffKeys, findRotated, warnOfEncryption, warnOfKeys } from "./changed-keys.ts";
import { compareTenants } from "./compare-tenants.ts";
import { findExposedBySettings } from "./exposure.ts";
import { summarize } from "./summary.ts";
import type { Version } from "./version.ts";

/** What of the program differs between two versions. */
export interface ProgramChange {
  /** Its files that differ. */
  files: readonly string[];
  /** Names of the config files that the earlier program gives the earlier tenants, by id. Absent: it could not be asked. */
  configFiles: Readonly<Record<string, string>> | undefined;
}

export interface CompareArgs {
  /** Absent: the stack is new. */
  before: Version | undefined;
  after: Version;
  program: ProgramChange;
}

/** Says what it comes to that one version follows the other. Both are planned by the later program. */
export function compareVersions({ before: earlier, after, program }: CompareArgs): Comparison {
  const before = earlier ?? emptied(after);
  const { stack } = after.fleet;
  const { hosts, deeds, told, down, cut, warnings: ofHosts } = compareHosts(before, after);
  const rotated = findRotated(before.keys, after.keys);
  const { tenants, restarted, warnings: ofTenants } = compareTenants(before, after, { down, rotated });
  const keys = diffKeys(before.keys, after.keys);
  const settings = [...diffFields(before.settings, after.settings).filter(({ field }) => !isWholeHost(field)), ...keys];
  const byProgram = findProgramRestarts(before, after, program);
  const cutOff = after.tenants.filter(({ id, host, status }) => cut.has(host) && status === "active" && before.tenants.some((each) => each.id === id));
  const interrupted = [...new Set([...restarted, ...byProgram, ...cutOff.map(({ id }) => id)])].toSorted();
  const warnings = [
    ...ofHosts,
    ...[...findExposedBySettings(before.settings, after.settings), ...findLostNames(before, after)].map((text): Warning => ({ level: "danger", text })),
    ...warnOfKeys(keys),
    ...warnOfEncryption(before.keys, after.keys),
    ...ofTenants,
    ...warnOfProgram(program, byProgram),
  ];
  return {
    stack,
    summary: summarize({
      stack,
      tenants,
      deeds: [...deeds, ...Object.entries(rotated).map(tellRotated), ...findSharedDeeds(before, after, program)],
      settings: settings.filter(({ field }) => !told.has(field)),
      hosts,
      interrupted,
    }),
    interrupted,
    // Only their order changes: what is dangerous comes first.
    warnings: [...warnings.filter(({ level }) => level === "danger"), ...warnings.filter(({ level }) => level === "notice")],
    tenants,
    hosts,
    settings,
  };
}

/** A stack that has nothing yet. */
function emptied({ settings, keys, fleet }: Version): Version {
  return { tenants: [], settings: { ...settings, hosts: {} }, keys, fleet: { ...fleet, hosts: [], dns: undefined } };
}

function tellRotated([id, names]: [string, string[]]): string {
  return `sets ${conjoinQuoted(names)} of ${quoted(id)} anew`;
}

/** Names at Cloudflare that go although their tenants stay. */
function findLostNames({ fleet: { dns: before } }: Version, { fleet: { dns: after }, tenants }: Version): string[] {
  if (before === undefined) return [];
  if (after !== undefined && before.zoneId !== after.zoneId)
    return ["all names go to another zone at Cloudflare, and those in the zone before are deleted: nobody is found until that one is asked"];
  const lost = before.names.filter(
    ({ id }) => after?.names.every((each) => each.id !== id) !== false && (id === "*" || tenants.some((each) => each.id === id)),
  );
  if (lost.length === 0) return [];
  const hostnames = conjoinQuoted(
    lost.map(({ hostname }) => hostname),
    12,
  );
  return [`at Cloudflare ${hostnames} ${lost.length === 1 ? "is" : "are"} deleted, and whoever calls by that finds nobody unless you make it elsewhere`];
}

/** What happens to things that no field of the list or the settings names. */
function findSharedDeeds(before: Version, after: Version, { files }: ProgramChange): string[] {
  const libraryOf = ({ fleet }: Version): string | undefined => fleet.hosts[0]?.library.path;
  const seeds = new Map(before.fleet.hosts.flatMap(({ tenants }) => tenants.map(({ id, seed }) => [id, JSON.stringify(seed)])));
  const hasOtherSeeds = after.fleet.hosts.some(({ tenants }) =>
    tenants.some(({ id, seed }) => (seeds.get(id) ?? JSON.stringify(seed)) !== JSON.stringify(seed)),
  );
  const hasOtherLibrary = before.fleet.hosts.length > 0 && libraryOf(before) !== libraryOf(after);
  return [
    ...(hasOtherLibrary ? ["edits the skills library"] : []),
    ...(hasOtherSeeds ? ["edits files that an empty workspace starts with"] : []),
    ...(files.length > 0 ? ["edits the program"] : []),
  ];
}

function isWholeHost(field: FieldChange["field"]): boolean {
  return /^hosts\.[^.]+$/.test(field);
}

/** Tenants that run before and after, and for which the later program alone makes another config file. */
function findProgramRestarts(before: Version, after: Version, { configFiles }: ProgramChange): string[] {
  if (configFiles === undefined) return [];
  const runsOn = (id: string): boolean => after.tenants.some((tenant) => tenant.id === id && tenant.status === "active");
  return before.fleet.hosts
    .flatMap(({ tenants }) => tenants)
    .filter(({ id, status, configFile }) => status === "active" && runsOn(id) && configFiles[id] !== undefined && configFiles[id] !== configFile.file)
    .map(({ id }) => id);
}

function warnOfProgram({ files, configFiles }: ProgramChange, restarted: readonly string[]): Warning[] {
  if (files.length === 0) return [];
  const what = `the program itself changes in ${files.length > 4 ? count(files.length, "file") : conjoinQuoted(files)}`;
  const effect =
    restarted.length > 0
      ? `${conjoinQuoted(restarted, 12)} restart${restarted.length === 1 ? "s" : ""}, because it writes another openclaw.json`
      : configFiles === undefined
        ? "whether it writes other files cannot be told here"
        : "it writes the same openclaw.json for everybody";
  return [{ level: "notice", text: `${what}: ${effect}. What it does otherwise, only the engine's preview shows` }];
}
