import { conjoin, quoted } from "../lib/prose.ts";
import type { Tenant } from "../tenants/schema.ts";
import type { PlannedHost } from "./host.ts";
import type { Settings } from "./settings.ts";
import { parseCidr } from "./subnet.ts";

/** What of an entry lets in more than before, a line each. */
export function findExposedByEntry(before: Tenant, after: Tenant): string[] {
  const id = quoted(after.id);
  const opened = after.expose.filter((part) => !before.expose.includes(part));
  const turned = (of: (tenant: Tenant) => boolean): boolean => !of(before) && of(after);
  return [
    ...(opened.length === 0 ? [] : [`${id} exposes more: ${conjoin(opened.toSorted().map(quoted))} can be called from outside`]),
    ...(turned(({ telegram }) => telegram?.mode === "webhook") ? [`${id} exposes more: Telegram's webhook can be called from outside`] : []),
    ...(turned(({ telegram }) => telegram?.dmPolicy === "open") ? [`everybody may write to the bot of ${id}`] : []),
    ...(turned(({ telegram }) => telegram?.groupPolicy === "open") ? [`everybody may write to the bot of ${id} in groups`] : []),
  ];
}

/** What of a host lets in more than before, a line each. */
export function findExposedByHost(before: PlannedHost, after: PlannedHost, settings: { before: Settings; after: Settings }): string[] {
  const id = quoted(after.id);
  const doors = wider(sourcesOf(before), sourcesOf(after));
  const hadPulls = before.edge.tls === "origin" && settings.before.dns?.originPulls === true;
  const stillProxied = after.edge.tls === "origin";
  return [
    ...(!before.edge.isPublic && after.edge.isPublic
      ? [`${id} becomes public: the world may connect to ${conjoin(after.tenants.map((each) => quoted(each.id))) || "it"}`]
      : []),
    ...(before.edge.tls === "origin" && !stillProxied
      ? [`Cloudflare stands no longer in front of ${id}: everybody may connect, and its address is in the DNS`]
      : []),
    ...(hadPulls && stillProxied && settings.after.dns?.originPulls !== true
      ? [`${id} admits calls of all of Cloudflare's customers, not of this zone alone`]
      : []),
    ...(before.edge.tls !== "none" && after.edge.tls === "none" && after.edge.isPublic ? [`${id} serves plain http to the world`] : []),
    ...(doors.length === 0 ? [] : [`${id} lets more addresses knock at its ssh: ${conjoin(doors.map(quoted))}`]),
  ];
}

/** What of the shared settings lets in more, or sends more out, than before. */
export function findExposedBySettings(before: Settings, after: Settings): string[] {
  const known = Object.values(before.operators);
  const operators = Object.entries(after.operators).filter(([, key]) => !known.includes(key));
  const collector = after.otlpEndpoint;
  return [
    ...(operators.length === 0 ? [] : [`${conjoin(operators.map(([name]) => quoted(name)))} may log in to every server with a key that is new`]),
    ...(collector === undefined || collector === before.otlpEndpoint ? [] : [`traces and metrics of all tenants go to ${quoted(new URL(collector).host)}`]),
  ];
}

/** Where callers of ssh come from; nowhere where the tailnet is the way. */
function sourcesOf({ machine }: PlannedHost): readonly string[] {
  if (machine === undefined || machine.settings.tailscale?.address !== undefined) return [];
  return machine.settings.sshFrom;
}

/** Ranges that no range of before holds. */
function wider(before: readonly string[], after: readonly string[]): string[] {
  return after.filter((range) => !before.some((each) => each === range || holds(each, range)));
}

function holds(outer: string, inner: string): boolean {
  // Of IPv6 only what is written alike is known to be the same.
  if (outer.includes(":") || inner.includes(":")) return false;
  const [a, b] = [parseCidr(outer), parseCidr(inner)];
  return a.first <= b.first && b.last <= a.last;
}
