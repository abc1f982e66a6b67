import { parseImage } from "../lib/image.ts";
import { conjoinQuoted, quoted } from "../lib/prose.ts";
import { diffFields } from "./compare-fields.ts";
import type { PlannedHost, PlannedTenant } from "./host.ts";

/** A tenant with the host that the plan put it on. */
export interface Placed {
  tenant: PlannedTenant;
  host: PlannedHost;
}

/** Where `openclaw.json` names the shared library, and the address of its network. */
const [LIBRARY_FIELD, NETWORK_FIELD] = ["skills.load.extraDirs", "gateway.trustedProxies"];

/**
 * What of a running tenant reaches it by a new container only, in words; empty: it runs on. What is not here changes in place, such as memory and
 * the time it has to start. Source: the container's arguments in components/gateway.ts, and what the Docker provider replaces.
 */
export function findRestartReasons(before: Placed, after: Placed): string[] {
  const [was, is] = [before.tenant, after.tenant];
  const change = (name: string, from: number, to: number): string[] => (from === to ? [] : [`${name} ${quoted(`${from}`)} → ${quoted(`${to}`)}`]);
  const differs = (...of: ((tenant: PlannedTenant) => unknown)[]): boolean => of.some((part) => JSON.stringify(part(was)) !== JSON.stringify(part(is)));
  const isMoved = differs((tenant) => tenant.subnet);
  return [
    ...describeImages(was.image, is.image),
    ...change("CPUs", was.limits.cpus, is.limits.cpus),
    ...change("pids", was.limits.pids, is.limits.pids),
    ...change("MiB of heap", was.limits.heapMb, is.limits.heapMb),
    ...change("port", was.port, is.port),
    ...(differs((tenant) => tenant.secrets) ? ["its secrets"] : []),
    ...(differs((tenant) => tenant.webhookPort !== undefined) ? ["Telegram's webhook"] : []),
    ...(isMoved && was.port === is.port ? ["another network"] : []),
    ...(differs((tenant) => tenant.authored) ? ["the authored skills"] : []),
    ...(was.configFile.file === is.configFile.file ? [] : describeConfigs(was.configFile.text, is.configFile.text, isMoved ? [NETWORK_FIELD] : [])),
  ];
}

/** "OpenClaw `2026.9.6` → `2026.9.7`". */
function describeImages(before: string, after: string): string[] {
  if (before === after) return [];
  const [from = "another image", to = "another image"] = [before, after].map((image) => parseImage(image).version);
  return [from === to ? `another build of OpenClaw ${quoted(to)}` : `OpenClaw ${quoted(from)} → ${quoted(to)}`];
}

/** Which fields differ; those that something else tells are left out. */
function describeConfigs(before: string, after: string, told: readonly string[]): string[] {
  const fields = diffFields(JSON.parse(before), JSON.parse(after)).map(({ field }) => field);
  const others = fields.filter((field) => field !== LIBRARY_FIELD && !told.includes(field));
  return [...(fields.includes(LIBRARY_FIELD) ? ["the skills library"] : []), ...(others.length === 0 ? [] : [`openclaw.json at ${conjoinQuoted(others, 4)}`])];
}
