import { BlockList } from "node:net";

import { z } from "zod";

import { parseImage } from "../lib/image.ts";
import { conjoinQuoted, quoted } from "../lib/prose.ts";
import { hetznerHosts } from "./cloud.ts";
import type { PlannedHost, PlannedTenant } from "./host.ts";
import type { Settings } from "./settings.ts";

const Senders = z.array(z.unknown()).optional().catch(undefined);
/** Who may write to a tenant, by channel. Source: `channels` in OpenClaw's own schema. */
const Channels = z.object({
  channels: z.record(z.string(), z.looseObject({ dmPolicy: z.unknown().optional(), groupPolicy: z.unknown().optional(), groupAllowFrom: Senders })).default({}),
});

/** What a tenant lets in more than before, a line each. One that is new opens what its own description does not tell, and one that is suspended nothing. */
export function findExposedByTenant(before: PlannedTenant | undefined, after: PlannedTenant): string[] {
  if (after.status === "suspended") return [];
  const id = quoted(after.id);
  const was = before?.status === "active" ? before : undefined;
  const opened = before === undefined ? [] : after.expose.filter((part) => was?.expose.includes(part) !== true);
  const known = was === undefined ? [] : findOpenChannels(was);
  return [
    ...(opened.length === 0 ? [] : [`${id} exposes more: ${conjoinQuoted(opened.toSorted())} can be called from outside`]),
    ...(was?.webhookPort === undefined && after.webhookPort !== undefined ? [`${id} exposes more: Telegram's webhook can be called from outside`] : []),
    ...findOpenChannels(after)
      .filter((channel) => !known.includes(channel))
      .map((channel) => `everybody may write to ${id} ${channel}`),
  ];
}

/** Channels that anybody may write to, each to be read after "may write to". */
function findOpenChannels({ configFile }: PlannedTenant): string[] {
  const { channels } = Channels.parse(JSON.parse(configFile.text));
  return Object.entries(channels).flatMap(([name, { dmPolicy, groupPolicy, groupAllowFrom }]) => [
    ...(dmPolicy === "open" ? [`by ${quoted(name)}`] : []),
    ...(groupPolicy === "open" || groupAllowFrom?.includes("*") === true ? [`in groups of ${quoted(name)}`] : []),
  ]);
}

/** What of a host lets in more than before, a line each. */
export function findExposedByHost(before: PlannedHost, after: PlannedHost, settings: { before: Settings; after: Settings }): string[] {
  const id = quoted(after.id);
  const doors = wider(sourcesOf(before), sourcesOf(after));
  const hadPulls = before.edge.tls === "origin" && settings.before.dns?.originPulls === true;
  const stillProxied = after.edge.tls === "origin";
  return [
    ...(!before.edge.isPublic && after.edge.isPublic
      ? [`${id} becomes public: the world may connect to ${conjoinQuoted(after.tenants.map((each) => each.id)) || "it"}`]
      : []),
    ...(before.edge.tls === "origin" && !stillProxied && after.edge.isPublic
      ? [`Cloudflare stands no longer in front of ${id}: everybody may connect${settings.after.dns === undefined ? "" : ", and its address is in the DNS"}`]
      : []),
    ...(hadPulls && stillProxied && settings.after.dns?.originPulls !== true
      ? [`${id} admits calls of all of Cloudflare's customers, not of this zone alone`]
      : []),
    ...(before.edge.tls !== "none" && after.edge.tls === "none" && after.edge.isPublic ? [`${id} serves plain http to the world`] : []),
    ...(doors.length === 0 ? [] : [`${id} lets more addresses knock at its ssh: ${conjoinQuoted(doors)}`]),
  ];
}

/** What of the shared settings lets in more, or sends more out, than before. */
export function findExposedBySettings(before: Settings, after: Settings): string[] {
  const known = Object.values(before.operators).map(withoutName);
  const operators = Object.entries(after.operators).filter(([, key]) => !known.includes(withoutName(key)));
  const collector = after.otlpEndpoint;
  const [was, is] = [before, after].map(({ caddyImage }) => parseImage(caddyImage).repository) as [string, string];
  const joining = before.hetzner.network === undefined && after.hetzner.network !== undefined ? findKeptServers(before, after) : [];
  return [
    ...(was === is ? [] : [`Caddy comes from somebody else: from ${quoted(is)} instead of ${quoted(was)}`]),
    ...(joining.length === 0
      ? []
      : [`the tenants of ${conjoinQuoted(joining)} can reach what listens in the private network, until their servers are built anew`]),
    ...(operators.length === 0 ? [] : [`${conjoinQuoted(operators.map(([name]) => name))} may log in to every server with a key that is new`]),
    ...(collector === undefined || collector === before.otlpEndpoint ? [] : [`traces and metrics of all tenants go to ${quoted(new URL(collector).host)}`]),
  ];
}

/** Where callers of ssh come from; nowhere where the tailnet is the way. */
function sourcesOf({ machine }: PlannedHost): readonly string[] {
  if (machine === undefined || machine.settings.tailscale?.address !== undefined) return [];
  return machine.settings.sshFrom;
}

/** A public key without what stands behind it, which is no more than a name. */
function withoutName(key: string): string {
  return key.split(" ", 2).join(" ");
}

/** Servers that are there before and after, and are not built anew. */
function findKeptServers(before: Settings, after: Settings): string[] {
  const known = new Map(hetznerHosts(before));
  return hetznerHosts(after).flatMap(([id, { rebuild }]) => (known.has(id) && known.get(id)?.rebuild === rebuild ? [id] : []));
}

/** Ranges that no range of before holds. */
function wider(before: readonly string[], after: readonly string[]): string[] {
  return after.filter((range) => !before.some((each) => each === range || holds(each, range)));
}

function holds(outer: string, inner: string): boolean {
  const [a, b] = [parseRange(outer), parseRange(inner)];
  if (a.family !== b.family || b.prefix < a.prefix) return false;
  const range = new BlockList();
  range.addSubnet(a.address, a.prefix, a.family);
  return range.check(b.address, b.family);
}

function parseRange(range: string): { address: string; prefix: number; family: "ipv4" | "ipv6" } {
  const [address = "", prefix] = range.split("/");
  return { address, prefix: Number(prefix), family: address.includes(":") ? "ipv6" : "ipv4" };
}
