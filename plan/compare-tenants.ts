import { parseImage } from "../lib/image.ts";
import { ownValue } from "../lib/own.ts";
import { conjoinQuoted, quoted } from "../lib/prose.ts";
import type { FieldChange, TenantChange, Warning } from "../templates/comparison.ts";
import type { Tenant } from "../tenants/schema.ts";
import { describeValue, diffFields } from "./compare-fields.ts";
import { findExposedByTenant } from "./exposure.ts";
import { findRestartReasons, type Placed } from "./restarts.ts";
import type { Version } from "./version.ts";

/** A tenant in one version. */
interface Known extends Placed {
  entry: Tenant;
}

/** A tenant that is in both. */
interface Kept {
  was: Known;
  is: Known;
  fields: FieldChange[];
  reasons: string[];
}

/** What becomes of the tenants. */
export interface TenantsCompared {
  tenants: TenantChange[];
  warnings: Warning[];
  /** Those that ran, will run, and do not in between. */
  restarted: Set<string>;
}

/** Fields that the kind of change tells already. */
const TOLD = ["host", "moveFrom", "status"];

/** What else interrupts tenants. */
export interface Interruptions {
  /** Hosts that are down: whoever is on them is interrupted anyway. */
  down: ReadonlySet<string>;
  /** Names of secrets that have another value, by tenant. */
  rotated: Readonly<Record<string, readonly string[]>>;
}

/** Compares every tenant of two versions. */
export function compareTenants(before: Version, after: Version, { down, rotated }: Interruptions): TenantsCompared {
  const ids = [...new Set([before, after].flatMap(({ tenants }) => tenants.map(({ id }) => id)))].toSorted();
  const all = ids.map((id) => ({ was: find(before, id), is: find(after, id) }));
  const kept = all.flatMap(({ was, is }): Kept[] =>
    was === undefined || is === undefined ? [] : [{ was, is, fields: diffFields(was.entry, is.entry), reasons: findReasons(was, is, rotated) }],
  );
  const restarted = kept.filter(({ was, is, reasons }) => runs(was) && runs(is) && (reasons.length > 0 || down.has(was.host.id) || down.has(is.host.id)));
  return {
    tenants: all.flatMap(({ was, is }) => {
      if (is === undefined) return was === undefined ? [] : [describeEnd(was, after)];
      if (was === undefined) return [describeStart(is)];
      return kept.filter((each) => each.is === is && each.fields.length > 0).map((each) => describeChange(each, restarted.includes(each)));
    }),
    warnings: [
      ...all.flatMap(({ was, is }) => (was !== undefined && is === undefined ? [warnOfEnd(was, after)] : [])),
      ...all.flatMap(({ was, is }) => (is?.entry.adopt === true && was === undefined ? [warnOfAdoption(is)] : [])),
      ...all.flatMap(({ was, is }) => (is === undefined ? [] : findExposed(was, is).map((text): Warning => ({ level: "danger", text })))),
      ...warnOfPublishers(all.flatMap(({ was, is }) => (is === undefined ? [] : [{ is, from: was?.tenant.image ?? after.settings.image }]))),
      ...kept.flatMap(({ was, is }) => (was.tenant.authored === "write" && was.host.id !== is.host.id ? [warnOfAuthored(was, is)] : [])),
      ...warnOfRestarts(kept.filter((each) => each.fields.length === 0 && restarted.includes(each) && each.reasons.length > 0)),
      ...warnOfAddresses(kept.filter(({ was, is }) => was.tenant.url !== is.tenant.url)),
    ],
    restarted: new Set(restarted.map(({ is }) => is.entry.id)),
  };
}

function find({ tenants, fleet }: Version, id: string): Known | undefined {
  const entry = tenants.find((each) => each.id === id);
  const host = fleet.hosts.find((each) => each.id === entry?.host);
  const tenant = host?.tenants.find((each) => each.id === id);
  return entry === undefined || host === undefined || tenant === undefined ? undefined : { entry, host, tenant };
}

function runs({ entry }: Known): boolean {
  return entry.status === "active";
}

function findReasons(was: Known, is: Known, rotated: Interruptions["rotated"]): string[] {
  if (was.host.id !== is.host.id) return ["another host"];
  const names = (ownValue(rotated, is.entry.id) ?? []).filter((name) => is.tenant.secrets.includes(name) && was.tenant.secrets.includes(name));
  return [...findRestartReasons(was, is), ...(names.length === 0 ? [] : [`another value of ${conjoinQuoted(names)}`])];
}

function findExposed(was: Known | undefined, is: Known): string[] {
  const isOpen = ({ host: { edge } }: Known): boolean => edge.isPublic && edge.tls !== "origin";
  const isNewlyPublic = was !== undefined && was.host.id !== is.host.id && !isOpen(was) && isOpen(is);
  const past = was?.host.edge.tls === "origin" ? ", past Cloudflare" : "";
  return [
    ...findExposedByTenant(was?.tenant, is.tenant),
    ...(isNewlyPublic ? [`${quoted(is.entry.id)} moves to a host that the world may connect to${past}`] : []),
  ];
}

function describeStart({ entry: { id, name, status, expose, size }, host, tenant }: Known): TenantChange {
  const doors = expose.length === 0 ? "nothing but its health" : conjoinQuoted(expose);
  const state = status === "active" ? "" : ", suspended";
  const what = `comes to ${quoted(host.id)}${state}: ${quoted(describeValue("size", size) ?? "")} at ${quoted(tenant.url)}, exposing ${doors}`;
  return { id, name, kind: "added", what, fields: [] };
}

function describeEnd(was: Known, after: Version): TenantChange {
  const { entry, tenant, host } = was;
  const volumes = conjoinQuoted([tenant.names.stateVolume, tenant.names.workspaceVolume]);
  const what = `leaves ${quoted(host.id)}; its data stays ${tellDataPlace(was, after)}, in ${tenant.directory === undefined ? volumes : quoted(tenant.directory)}`;
  return { id: entry.id, name: entry.name, kind: "removed", what, fields: [] };
}

/** Where the data of a removed tenant is: its host may go as well. */
function tellDataPlace({ host, tenant }: Known, after: Version): string {
  if (after.fleet.hosts.some(({ id }) => id === host.id)) return `on ${quoted(host.id)}`;
  return tenant.directory === undefined ? `on the machine that was ${quoted(host.id)}` : `on the volume of ${quoted(host.id)}`;
}

function describeChange({ was, is, fields }: Kept, isRestarted: boolean): TenantChange {
  const { id, name, status } = is.entry;
  const change = (kind: TenantChange["kind"], what: string): TenantChange => ({
    id,
    name,
    kind,
    what,
    fields: kind === "changed" ? fields : fields.filter(({ field }) => !TOLD.includes(field)),
  });
  if (was.host.id !== is.host.id)
    return change("moved", `moves from ${quoted(was.host.id)} to ${quoted(is.host.id)}, and is down while its data is carried along`);
  if (was.entry.status !== status)
    return status === "suspended" ? change("suspended", "is suspended: callers get a 503 page, data and tokens stay") : change("resumed", "runs again");
  if (status === "suspended") return change("changed", "stays suspended");
  return change("changed", isRestarted ? "restarts" : "runs on");
}

function warnOfEnd(was: Known, after: Version): Warning {
  const text = `${quoted(was.entry.id)} is removed: its tokens are gone for good, and its address goes. Its data stays ${tellDataPlace(was, after)}`;
  return { level: "danger", text };
}

function warnOfAdoption({ entry: { id }, host }: Known): Warning {
  return { level: "notice", text: `${quoted(id)} takes over what an earlier tenant ${quoted(id)} left on ${quoted(host.id)}: is it the same client?` };
}

/** The authored directory is its host's, not the tenant's. */
function warnOfAuthored({ entry: { id }, host }: Known, is: Known): Warning {
  return { level: "danger", text: `what ${quoted(id)} has authored stays on ${quoted(host.id)}, and it starts with none on ${quoted(is.host.id)}` };
}

/** Tenants whose image comes from somebody else than before, in one line for each who it is. */
function warnOfPublishers(all: readonly { is: Known; from: string }[]): Warning[] {
  const others = all
    .map(({ is, from }) => ({ id: is.entry.id, from: parseImage(from).repository, to: parseImage(is.tenant.image).repository }))
    .filter(({ from, to }) => from !== to);
  return [...Map.groupBy(others, ({ from, to }) => `${quoted(to)} instead of ${quoted(from)}`)].map(([which, group]): Warning => {
    const ids = conjoinQuoted(
      group.map(({ id }) => id),
      12,
    );
    return { level: "danger", text: `OpenClaw of ${ids} comes from somebody else: from ${which}` };
  });
}

/** Tenants that restart for the same reasons are told of in one line. */
function warnOfRestarts(unnamed: readonly Kept[]): Warning[] {
  return [...Map.groupBy(unnamed, ({ reasons }) => reasons.join("; "))].map(([why, group]) => {
    const ids = conjoinQuoted(
      group.map(({ is }) => is.entry.id),
      12,
    );
    const [verb, whose] = group.length === 1 ? ["restarts", "its entry does"] : ["restart", "their entries do"];
    return { level: "notice", text: `${ids} ${verb} although ${whose} not change: ${why}` };
  });
}

function warnOfAddresses(moved: readonly Kept[]): Warning[] {
  const [first] = moved;
  if (first === undefined) return [];
  const ids = conjoinQuoted(
    moved.map(({ is }) => is.entry.id),
    12,
  );
  const example = `${quoted(first.was.tenant.url)} becomes ${quoted(first.is.tenant.url)}`;
  return [{ level: "danger", text: `the address of ${ids} changes, and the old one ends: ${example}` }];
}
