import { ownValue } from "../lib/own.ts";
import type { HetznerSettings } from "./host-settings.ts";
import { findServerType } from "./server-types.ts";
import type { Settings } from "./settings.ts";
import { findStockMistakes, type Offer } from "./stock.ts";

/** A server as it runs at Hetzner right now. */
export interface ExistingServer {
  serverType: string;
  location: string;
  /** Whether Hetzner refuses to delete it. */
  isProtected: boolean;
  /** The word it was last built for. */
  rebuild: string | undefined;
  /** GB of its data volume. Absent: it has none yet. */
  dataGb: number | undefined;
}

/** What the accounts say; read anew by every run, because a state shows only what this program did. */
export interface Cloud {
  /** Addresses that Cloudflare calls from, IPv4 and IPv6. */
  proxyRanges: readonly string[];
  /** This stack's servers by host. */
  servers: Readonly<Record<string, ExistingServer>>;
  /** What Hetzner sells. Absent: nobody asked, so nothing is held against it. */
  offers: readonly Offer[] | undefined;
}

/** A stack without accounts, or one whose accounts nobody asks. */
export const NO_CLOUD: Cloud = { proxyRanges: [], servers: {}, offers: undefined };

/** Hosts of the settings that are Hetzner's. */
export function hetznerHosts({ hosts }: Pick<Settings, "hosts">): [string, HetznerSettings][] {
  return Object.entries(hosts).flatMap(([id, host]): [string, HetznerSettings][] => (host.kind === "hetzner" ? [[id, host]] : []));
}

/** Whether this run builds a server anew: it exists, and for another word than the settings say. */
export function isRebuilding(host: HetznerSettings, server: ExistingServer | undefined): boolean {
  if (server === undefined || host.rebuild === undefined) return false;
  return host.rebuild !== server.rebuild;
}

/** What the accounts would refuse, or take for an order to destroy: a line each, before anything is created. */
export function findCloudMistakes(settings: Settings, { servers, offers }: Cloud): string[] {
  const hosts = hetznerHosts(settings);
  const orders = hosts
    .filter(([id, host]) => {
      const server = ownValue(servers, id);
      // One that runs is never held against today's offers.
      return server?.serverType !== host.serverType || isRebuilding(host, server);
    })
    .map(([id, { serverType, location }]) => ({ host: id, serverType, location }));
  return [
    ...hosts.flatMap(([id, host]) => findChangeMistakes(id, host, ownValue(servers, id))),
    ...(offers === undefined ? [] : findStockMistakes(orders, offers)),
  ];
}

function findChangeMistakes(id: string, host: HetznerSettings, server: ExistingServer | undefined): string[] {
  const { tailscale, serverType } = host;
  if (server === undefined)
    return tailscale?.address === undefined
      ? []
      : [
          `host "${id}", field tailscale.address "${tailscale.address}": a new server is in no tailnet yet; take it out and list sshFrom until the server has joined`,
        ];
  const mistakes: string[] = [];
  const [before, after] = [server.serverType, serverType].map((name) => findServerType(name)?.architecture);
  if (before !== undefined && before !== after && !isRebuilding(host, server))
    mistakes.push(
      `host "${id}", field serverType "${serverType}": its server is a ${server.serverType}, and what runs on ${before} does not run on ${after ?? "it"}; choose another ${before} type, or set a new rebuild with it`,
    );
  if (host.location !== server.location)
    mistakes.push(
      `host "${id}", field location "${host.location}": its server and its data are in ${server.location}, and neither can leave; add a host there and move the tenants to it`,
    );
  if (server.dataGb !== undefined && host.dataGb < server.dataGb)
    mistakes.push(`host "${id}", field dataGb ${host.dataGb}: its data volume has ${server.dataGb} GB, and a volume cannot shrink; put ${server.dataGb} back`);
  if (isRebuilding(host, server) && (host.protected || server.isProtected))
    mistakes.push(
      `host "${id}", field rebuild "${host.rebuild ?? ""}": the host is protected; first set protected: false without a new rebuild and run \`pulumi up\`, then set rebuild`,
    );
  if (isRebuilding(host, server) && host.tailscale?.address !== undefined)
    mistakes.push(
      `host "${id}", field rebuild "${host.rebuild ?? ""}": the new server has to join the tailnet before it can be reached there; take tailscale.address out and list sshFrom for this update`,
    );
  return mistakes;
}
