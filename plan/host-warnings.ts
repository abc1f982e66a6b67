import { conjoinQuoted, quoted } from "../lib/prose.ts";
import type { Warning } from "../templates/comparison.ts";
import type { HetznerSettings, HostSettings } from "./host-settings.ts";
import type { PlannedHost } from "./host.ts";
import { monthlyCost, PRICED_LOCATIONS } from "./server-types.ts";

/** What only a new server reads, besides whether it joins a tailnet; templates/cloud-init.yaml sets it up once. */
const READ_AT_BIRTH = ["image", "rebootAt", "swapMb"] as const;

/** A host in one version. */
export interface KnownHost {
  settings: HostSettings;
  planned: PlannedHost;
  caddyImage: string;
}

/** Net, a month. Absent: nobody here knows. */
export function priceOf(settings: HostSettings): number | undefined {
  return settings.kind === "hetzner" && PRICED_LOCATIONS.includes(settings.location) ? monthlyCost(settings) : undefined;
}

/** What kind of machine it is. */
export function describeMachine(settings: HostSettings): string {
  return settings.kind === "hetzner" ? `${settings.serverType} in ${settings.location}, ${settings.dataGb} GB of data` : "your own Docker";
}

/** Whether all its tenants are down while the change is made. */
export function isDown(was: KnownHost, is: KnownHost): boolean {
  if (was.settings.kind !== is.settings.kind || is.planned.machine?.isRebuilding === true) return true;
  return was.settings.kind === "hetzner" && is.settings.kind === "hetzner" && was.settings.serverType !== is.settings.serverType;
}

/** Whether its Caddy gets a new container. Source: the container's arguments in components/edge.ts. */
export function isCaddyReplaced(was: KnownHost, is: KnownHost): boolean {
  const partsOf = ({ planned: { edge }, caddyImage }: KnownHost): unknown => [
    caddyImage,
    edge.network,
    edge.httpPort,
    edge.tls === "origin",
    edge.network === "bridge" && [edge.httpsPort, edge.tls, edge.isPublic],
  ];
  return JSON.stringify(partsOf(was)) !== JSON.stringify(partsOf(is));
}

/** What is to be said of a host that comes. */
export function warnOfStart({ settings, planned: { id } }: KnownHost): Warning[] {
  if (settings.kind === "docker") return settings.edge.public ? [danger(`${quoted(id)} is public: the world may connect to it`)] : [];
  const eur = priceOf(settings);
  const isOpen = settings.tailscale?.address === undefined && settings.sshFrom.some((range) => range.endsWith("/0"));
  return [
    ...(isOpen ? [danger(`${quoted(id)} lets the whole world knock at its ssh`)] : []),
    notice(`${quoted(id)} is ordered: ${describeMachine(settings)}${eur === undefined ? "" : `, for ${eur.toFixed(2)} EUR a month`}`),
  ];
}

/** What is to be said of a host that goes. */
export function warnOfEnd({ settings, planned: { id } }: KnownHost): Warning {
  if (settings.kind === "docker") return notice(`${quoted(id)} goes: what this program made there is removed, and the data of its tenants stays there`);
  const how = settings.protected
    ? "It is protected, so the update will be refused: take `protected` away first, in a change of its own"
    : "Its volume and addresses stay at Hetzner and cost money until you delete them there";
  return danger(`${quoted(id)} goes: its server and the disk in it are deleted. ${how}`);
}

/** What is to be said of a host that stays in the settings. */
export function warnOfChange(was: KnownHost, is: KnownHost): Warning[] {
  const id = quoted(is.planned.id);
  const caddy = isCaddyReplaced(was, is)
    ? [notice(`Caddy on ${id} is replaced, and open connections are cut. Not reachable for a moment: ${nameTenants(is)}`)]
    : [];
  if (was.settings.kind !== is.settings.kind)
    return [
      danger(`${id} becomes another machine. Their data stays behind, and they start empty: ${nameTenants(was)}`),
      ...(was.settings.kind === "hetzner" ? [warnOfEnd(was)] : warnOfStart(is)),
    ];
  if (was.settings.kind === "docker" && is.settings.kind === "docker")
    return [
      ...(was.settings.endpoint === is.settings.endpoint
        ? []
        : [
            danger(
              `${id} is reached at another address, and nothing that was made is made again there: if it is another machine, add a host for it instead, and move ${nameTenants(is)}`,
            ),
          ]),
      ...caddy,
    ];
  if (was.settings.kind === "docker" || is.settings.kind === "docker") return caddy;
  const [from, to] = [was.settings, is.settings];
  const late = findLate(from, to);
  return [
    ...(is.planned.machine?.isRebuilding === true
      ? [danger(`${id} is built anew: its server and the disk in it are deleted, data and addresses stay. Down for minutes: ${nameTenants(is)}`)]
      : [
          ...(from.serverType === to.serverType
            ? []
            : [danger(`${id} is powered off to become ${quoted(to.serverType)} instead of ${quoted(from.serverType)}. Down meanwhile: ${nameTenants(is)}`)]),
          ...(late.length === 0 ? [] : [notice(`${conjoinQuoted(late)} of ${id} reach${late.length === 1 ? "es" : ""} its server only when it is built anew`)]),
          ...caddy,
        ]),
    ...(from.protected && !to.protected ? [danger(`${id} is protected no longer: the next change may delete or rebuild its server`)] : []),
    ...(from.backups && !to.backups ? [danger(`${id} has no backups any more: Hetzner deletes those there are`)] : []),
  ];
}

function danger(text: string): Warning {
  return { level: "danger", text };
}

function notice(text: string): Warning {
  return { level: "notice", text };
}

function findLate(from: HetznerSettings, to: HetznerSettings): string[] {
  const isInstalled = (settings: HetznerSettings): boolean => settings.tailscale !== undefined;
  return [...READ_AT_BIRTH.filter((field) => from[field] !== to[field]), ...(isInstalled(from) === isInstalled(to) ? [] : ["tailscale"])];
}

function nameTenants({ planned }: KnownHost): string {
  const active = planned.tenants.filter(({ status }) => status === "active").map(({ id }) => id);
  return active.length === 0 ? "nobody" : conjoinQuoted(active, 12);
}
