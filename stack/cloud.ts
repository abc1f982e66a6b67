import { getIpRanges } from "@pulumi/cloudflare/getIpRanges.js";
import { getServers } from "@pulumi/hcloud/getServers.js";
import { getServerTypes } from "@pulumi/hcloud/getServerTypes.js";
import { getVolumes } from "@pulumi/hcloud/getVolumes.js";

import { UserError } from "../lib/errors.ts";
import { type Cloud, type ExistingServer, hetznerHosts, NO_CLOUD } from "../plan/cloud.ts";
import { planEdge } from "../plan/edge.ts";
import { labelsOf } from "../plan/names.ts";
import type { Settings } from "../plan/settings.ts";
import type { Offer } from "../plan/stock.ts";

/** Asks the accounts what the plan needs to know of them: nothing where the settings name no host of theirs. A token that may only read will do. */
export async function readCloud(stack: string, settings: Settings): Promise<Cloud> {
  const isProxied = Object.values(settings.hosts).some((host) => planEdge(host, settings).tls === "origin");
  const hasServers = hetznerHosts(settings).length > 0;
  try {
    const [ranges, servers, offers] = await Promise.all([
      isProxied ? readRanges() : NO_CLOUD.proxyRanges,
      hasServers ? readServers(stack) : NO_CLOUD.servers,
      hasServers ? readOffers() : NO_CLOUD.offers,
    ]);
    return { proxyRanges: ranges, servers, offers };
  } catch (error) {
    // The SDK's words for a call that a provider, or the API behind it, has refused.
    if (!(error instanceof Error) || !error.message.startsWith("invocation of ")) throw error;
    throw new UserError(error.message, {
      hint: `set the token: pulumi config set --stack ${stack} --secret hcloud:token; an API that is down answers later`,
      cause: error,
    });
  }
}

async function readRanges(): Promise<string[]> {
  const { ipv4Cidrs, ipv6Cidrs } = await getIpRanges({});
  return [...ipv4Cidrs, ...ipv6Cidrs];
}

/** This stack's servers, known by their labels whether the state knows them or not. */
async function readServers(stack: string): Promise<Record<string, ExistingServer>> {
  const withSelector = Object.entries(labelsOf(stack, "host"))
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
  const [{ servers }, { volumes }] = await Promise.all([getServers({ withSelector }), getVolumes({ withSelector })]);
  return Object.fromEntries(
    servers.map(({ labels, serverType, location, deleteProtection }): [string, ExistingServer] => {
      const host = labels["openclaw-tenants.host"] ?? "";
      const volume = volumes.find((each) => each.labels["openclaw-tenants.host"] === host);
      return [host, { serverType, location, isProtected: deleteProtection, rebuild: labels["openclaw-tenants.rebuild"], dataGb: volume?.size }];
    }),
  );
}

async function readOffers(): Promise<Offer[]> {
  const { serverTypes } = await getServerTypes();
  return serverTypes.map(({ name, cores, memory, architecture, locations }) => ({
    name,
    cores,
    memoryMb: memory * 1024,
    architecture: architecture === "arm" ? "arm" : "x86",
    isDeprecated: locations.every(({ isDeprecated }) => isDeprecated),
    locations: locations.map(({ name: location, available, isDeprecated: isLeaving }) => ({ name: location, available, isDeprecated: isLeaving })),
  }));
}
