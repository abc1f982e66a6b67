import { ownValue } from "../lib/own.ts";
import { quoted } from "../lib/prose.ts";
import type { HostChange, HostUse, Warning } from "../templates/comparison.ts";
import { findExposedByHost } from "./exposure.ts";
import { describeMachine, isCaddyReplaced, isDown, type KnownHost, priceOf, warnOfChange, warnOfEnd, warnOfStart } from "./host-warnings.ts";
import { capacityOf } from "./limits.ts";
import type { Version } from "./version.ts";

/** What becomes of the hosts. */
export interface HostsCompared {
  hosts: HostChange[];
  warnings: Warning[];
  /** What happens to them, each to be read after "this change". */
  deeds: string[];
  /** Settings that these tell. */
  told: Set<string>;
  /** Hosts whose tenants are all down meanwhile. */
  down: Set<string>;
  /** Hosts whose Caddy is replaced. */
  cut: Set<string>;
}

/** Compares every host of two versions. */
export function compareHosts(before: Version, after: Version): HostsCompared {
  const ids = [...new Set([before, after].flatMap(({ settings }) => Object.keys(settings.hosts)))].toSorted();
  const all = ids.map((id) => ({ id, was: find(before, id), is: find(after, id) }));
  const added = all.flatMap(({ was, is }) => (was === undefined && is !== undefined ? [is] : []));
  const gone = all.flatMap(({ was, is }) => (was !== undefined && is === undefined ? [was] : []));
  const kept = all.flatMap(({ was, is }) => (was === undefined || is === undefined ? [] : [{ was, is }]));
  const down = kept.filter(({ was, is }) => isDown(was, is)).map(({ is }) => is);
  return {
    hosts: all.flatMap(({ id, was, is }) => {
      const known = is ?? was;
      return known === undefined ? [] : [{ id, machine: describeMachine(known.settings), before: measure(was), after: measure(is) }];
    }),
    warnings: [
      ...gone.map(warnOfEnd),
      ...kept.flatMap(({ was, is }) => [
        ...warnOfChange(was, is),
        ...findExposedByHost(was.planned, is.planned, { before: before.settings, after: after.settings }).map((text): Warning => ({ level: "danger", text })),
      ]),
      ...added.flatMap(warnOfStart),
    ],
    deeds: [...added.map(tellStart), ...down.map(tellDown), ...gone.map(({ planned: { id } }) => `gives up ${quoted(id)}`)],
    told: new Set(down.flatMap(({ planned: { id } }) => ["kind", "rebuild", "serverType"].map((field) => `hosts.${id}.${field}`))),
    down: new Set(down.map(({ planned: { id } }) => id)),
    cut: new Set(kept.filter(({ was, is }) => isCaddyReplaced(was, is)).map(({ is }) => is.planned.id)),
  };
}

function tellStart({ settings, planned: { id } }: KnownHost): string {
  return `${settings.kind === "hetzner" ? "orders" : "adds"} ${quoted(id)}`;
}

function tellDown({ settings, planned: { id, machine } }: KnownHost): string {
  if (settings.kind === "docker") return `puts another machine in the place of ${quoted(id)}`;
  return machine?.isRebuilding === true ? `builds ${quoted(id)} anew` : `powers ${quoted(id)} off and on`;
}

function find({ settings, fleet }: Version, id: string): KnownHost | undefined {
  const [host, planned] = [ownValue(settings.hosts, id), fleet.hosts.find((each) => each.id === id)];
  return host === undefined || planned === undefined ? undefined : { settings: host, planned, caddyImage: fleet.caddyImage };
}

function measure(known: KnownHost | undefined): HostUse | undefined {
  if (known === undefined) return undefined;
  const { settings, planned } = known;
  const { memoryMb, reserveMb } = capacityOf(settings);
  const active = planned.tenants.filter(({ status }) => status === "active");
  return {
    active: active.length,
    suspended: planned.tenants.length - active.length,
    usedMb: active.reduce((sum, { limits }) => sum + limits.memoryMb, 0),
    roomMb: memoryMb - reserveMb,
    eur: priceOf(settings),
  };
}
