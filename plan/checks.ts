import { ownValue } from "../lib/own.ts";
import { FIRST_PORT, LAST_PORT, type Tenant } from "../tenants/schema.ts";
import { planEdge } from "./edge.ts";
import type { HostSettings } from "./host-settings.ts";
import { capacityOf, OUTSIDE_HEAP_MB, planLimits } from "./limits.ts";
import { describeType, findServerType, suggestTypes } from "./server-types.ts";
import type { Settings } from "./settings.ts";
import { findSubnet } from "./subnet.ts";

/** What the stack's last update left behind. */
export interface Past {
  /** Host of every tenant that was in the list, by id. */
  tenants: Readonly<Record<string, string>>;
  /** Host of every tenant that was removed and whose data is still there, by id. */
  retained: Readonly<Record<string, string>>;
}

/** Mistakes between entries: the same id or port twice. */
export function findClashes(tenants: readonly Tenant[]): string[] {
  const ids = new Set<string>();
  const ports = new Map<number, string>();
  return tenants.flatMap(({ id, port }) => {
    const mistakes: string[] = [];
    if (ids.has(id)) mistakes.push(`tenant id "${id}" is used twice; give one of them another`);
    ids.add(id);
    const owner = ports.get(port);
    if (owner !== undefined) mistakes.push(`port ${port} of tenant "${id}" belongs to tenant "${owner}"; ${nextFree(tenants)}`);
    else ports.set(port, id);
    return mistakes;
  });
}

/** Mistakes between an entry and its host: unknown host, no room in the pool, more CPUs than there are, a webhook nobody can reach. */
export function findPlacementMistakes(tenant: Tenant, settings: Settings): string[] {
  const { id, port, host: hostId, limits, telegram } = tenant;
  const host = ownValue(settings.hosts, hostId);
  if (host === undefined)
    return [`tenant "${id}", field host "${hostId}": no such host in the settings; there are ${Object.keys(settings.hosts).toSorted().join(", ")}`];

  const { cpus } = capacityOf(host);
  const mistakes: string[] = [];
  if (findSubnet(settings.subnetPool, port) === undefined)
    mistakes.push(`tenant "${id}", field port ${port}: its subnet lies outside subnetPool ${settings.subnetPool}; take a lower port or a larger pool`);
  if (limits.cpus !== undefined && limits.cpus > cpus)
    mistakes.push(`tenant "${id}", field limits.cpus ${limits.cpus}: host "${hostId}" has ${cpus}; ask for at most that`);
  const { memoryMb, heapMb } = planLimits(tenant, cpus);
  if (heapMb + OUTSIDE_HEAP_MB > memoryMb)
    mistakes.push(
      `tenant "${id}", field limits.heapMb ${heapMb}: the gateway needs ${OUTSIDE_HEAP_MB} MiB beside its heap and has ${memoryMb} MiB; use at most ${memoryMb - OUTSIDE_HEAP_MB}`,
    );
  if (telegram?.mode === "webhook" && !planEdge(host, settings).isPublic)
    mistakes.push(`tenant "${id}", field telegram.mode "webhook": Telegram cannot reach host "${hostId}", which serves this machine only; use "polling"`);
  return mistakes;
}

/** A host whose active tenants ask for more memory than it has, with the figures. */
export function findFullHosts(tenants: readonly Tenant[], hosts: Readonly<Record<string, HostSettings>>): string[] {
  return Object.entries(hosts).flatMap(([hostId, host]) => {
    const active = tenants.filter((tenant) => tenant.host === hostId && tenant.status === "active");
    const { memoryMb, cpus, reserveMb } = capacityOf(host);
    const askedMb = active.reduce((sum, tenant) => sum + planLimits(tenant, cpus).memoryMb, 0);
    const roomMb = memoryMb - reserveMb;
    if (askedMb <= roomMb) return [];
    return [
      `host "${hostId}" is full: ${active.length} active tenants ask for ${askedMb} MiB and it has ${roomMb} MiB (${memoryMb} less ${reserveMb} for the system), ${askedMb - roomMb} too few; choose smaller sizes, suspend a tenant or place it elsewhere${tellLargerTypes(host, askedMb + reserveMb)}`,
    ];
  });
}

/** The types at Hetzner that would hold everything, for the end of a message; nothing for a machine of the operator's own. */
function tellLargerTypes(host: HostSettings, memoryMb: number): string {
  if (host.kind !== "hetzner") return "";
  const fitting = suggestTypes({ memoryMb, architecture: findServerType(host.serverType)?.architecture ?? "x86" });
  if (fitting.length === 0) return "; no type at Hetzner would hold them all";
  return `, or change serverType: all of it fits on ${fitting.map((type) => describeType(type, host.location)).join(", ")}`;
}

/** Mistakes between an entry and its past: data of a removed tenant, data on another host, a move from where it is not. */
export function findPastMistakes({ id, host, adopt, moveFrom, status }: Tenant, past: Past, hosts: Settings["hosts"]): string[] {
  const before = ownValue(past.tenants, id);
  if (moveFrom === host) return [`tenant "${id}", field moveFrom "${moveFrom}": it is the host that the tenant shall be on; name the one it comes from`];
  if (before !== undefined && before !== host) {
    if (moveFrom === undefined)
      return [
        `tenant "${id}" has its data on host "${before}"; a change of host to "${host}" would start it empty: say moveFrom: "${before}" to carry its data along, or put host back`,
      ];
    if (moveFrom !== before) return [`tenant "${id}", field moveFrom "${moveFrom}": its data is on host "${before}"; say moveFrom: "${before}"`];
    if (status === "suspended")
      return [`tenant "${id}", field status "suspended": its data is carried when it starts on host "${host}"; move it while it is active`];
    if (ownValue(hosts, before) === undefined)
      return [`tenant "${id}", field moveFrom "${before}": the settings have no such host any more; put it back until the tenant has moved`];
  }
  const left = ownValue(past.retained, id);
  if (left === undefined)
    return before === undefined && moveFrom !== undefined
      ? [`tenant "${id}", field moveFrom "${moveFrom}": the tenant is new and has no data anywhere; leave it out`]
      : [];
  if (left !== host) return [`data of a removed tenant "${id}" is kept on host "${left}"; place it there with adopt: true, or choose another id`];
  if (adopt) return [];
  return [`data of a removed tenant "${id}" is kept on host "${left}"; say adopt: true if this is the same client, else choose another id`];
}

/** Mistakes about the authoring instance and the skills a tenant names. */
export function findSkillMistakes(tenants: readonly Tenant[], libraryNames: readonly string[]): string[] {
  const [author, ...others] = tenants.filter(({ skills }) => skills.author);
  return [
    ...others.map(({ id }) => `tenant "${id}", field skills.author: tenant "${author?.id ?? ""}" is the authoring instance already; there is one in a fleet`),
    ...tenants.flatMap(({ id, host, skills }) => {
      const mistakes: string[] = [];
      if (skills.authored && author === undefined)
        mistakes.push(`tenant "${id}", field skills.authored: no tenant is the authoring instance; give one skills: { author: true }`);
      else if (skills.authored && author?.host !== host)
        mistakes.push(
          `tenant "${id}", field skills.authored: the authoring instance "${author?.id ?? ""}" is on host "${author?.host ?? ""}", this tenant on "${host}"; they must share one`,
        );
      const unknown = skills.shared === "all" ? [] : skills.shared.filter((name) => !libraryNames.includes(name));
      return [...mistakes, ...unknown.map((name) => `tenant "${id}", field skills.shared "${name}": not in the library; it has ${libraryNames.join(", ")}`)];
    }),
  ];
}

function nextFree(tenants: readonly Tenant[]): string {
  const taken = new Set(tenants.map(({ port }) => port));
  for (let port = FIRST_PORT; port <= LAST_PORT; port++) if (!taken.has(port)) return `the next free one is ${port}`;
  return "all ports are taken";
}
