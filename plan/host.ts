import { ownValue } from "../lib/own.ts";
import { renderCaddyfile } from "../templates/caddyfile.ts";
import { DATA_PATH } from "../templates/cloud-init.ts";
import { renderGatewayConfig } from "../templates/openclaw.ts";
import type { Tenant } from "../tenants/schema.ts";
import { isRebuilding } from "./cloud.ts";
import { type ConfigFile, planConfigFile } from "./config-file.ts";
import { planEdge, type PlannedEdge } from "./edge.ts";
import type { PlacedFile, SkillLibrary } from "./files.ts";
import { type HostSettings, WEBHOOK_OFFSET } from "./host-settings.ts";
import { capacityOf, type GatewayLimits, planLimits } from "./limits.ts";
import { planFirewall, type PlannedMachine } from "./machine.ts";
import { labelsOf, nameHost, nameMachine, nameTenant, type TenantNames } from "./names.ts";
import { applyOverlay } from "./overlay.ts";
import type { FleetInput } from "./parse.ts";
import { planSecrets } from "./secrets.ts";
import { type Cidr, findSubnet } from "./subnet.ts";

/** Where the shared library lies in every gateway; the content's hash follows. */
export const SKILLS_PATH = "/opt/openclaw-skills";
/** Where the authoring instance writes and others read. */
export const AUTHORED_PATH = "/opt/openclaw-authored";

/** One tenant, fully decided. */
export interface PlannedTenant {
  id: string;
  status: Tenant["status"];
  expose: Tenant["expose"];
  hostname: string;
  url: string;
  image: string;
  names: TenantNames;
  limits: GatewayLimits;
  /** Published on the host's loopback only. */
  port: number;
  /** Where its Telegram listener is published. Absent: no webhook. */
  webhookPort: number | undefined;
  subnet: Cidr;
  gatewayIp: string;
  configFile: ConfigFile;
  /** Whether the operator's own config is part of it. */
  hasOverlay: boolean;
  /** Names of its secrets; each is an environment variable. */
  secrets: string[];
  seed: readonly PlacedFile[];
  authored: "none" | "read" | "write";
  adopt: boolean;
  /** Directory on the host that holds its data. Absent: Docker's own volumes do. */
  directory: string | undefined;
  /** Host that this run carries its data from. Absent: it is here. */
  moveFrom: string | undefined;
}

/** One host with all that runs on it. */
export interface PlannedHost {
  id: string;
  /** Where its Docker answers. Absent: what DOCKER_HOST says, or the machine below. */
  endpoint: string | undefined;
  /** The server that is ordered for it. Absent: the machine is there already. */
  machine: PlannedMachine | undefined;
  /** Directory on the host for what its tenants share and its Caddy keeps. Absent: Docker's own volumes do. */
  directory: string | undefined;
  names: ReturnType<typeof nameHost>;
  edge: PlannedEdge;
  /** Every image its tenants run, each once. */
  images: string[];
  library: SkillLibrary & { path: string };
  hasAuthor: boolean;
  /** The complete Caddyfile. */
  routes: string;
  tenants: PlannedTenant[];
}

/** What of the input belongs to one host. */
export interface HostPart {
  id: string;
  host: HostSettings;
  tenants: readonly Tenant[];
  libraryPath: string;
}

/** Decides what runs on a host, and under which routes. */
export function planHost({ id, host, tenants, libraryPath }: HostPart, input: FleetInput): PlannedHost {
  const { stack, settings, library, cloud } = input;
  const edge = planEdge(host, settings);
  const planned = tenants.map((tenant) => planTenant(tenant, host, edge, libraryPath, input)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  // Docker Desktop has no host network; there a bridge reaches the host's loopback by this name.
  const dial = edge.network === "host" ? "127.0.0.1" : "host.docker.internal";

  return {
    id,
    endpoint: host.kind === "docker" ? host.endpoint : undefined,
    machine: planMachine(id, host, edge, input),
    directory: host.kind === "hetzner" ? DATA_PATH : undefined,
    names: nameHost(stack, id),
    edge,
    images: [...new Set(planned.map(({ image }) => image))].toSorted(),
    library: { ...library, path: libraryPath },
    hasAuthor: tenants.some(({ skills }) => skills.author),
    routes: renderCaddyfile({
      domain: settings.domain,
      edge,
      proxyRanges: cloud.proxyRanges,
      hasClientCertificates: settings.dns?.originPulls === true,
      streamCloseDelaySeconds: settings.streamCloseDelaySeconds,
      sites: planned.map(({ port, webhookPort, ...site }) => ({
        ...site,
        upstream: `${dial}:${port}`,
        webhookUpstream: webhookPort === undefined ? undefined : `${dial}:${webhookPort}`,
      })),
    }),
    tenants: planned,
  };
}

function planMachine(id: string, host: HostSettings, edge: PlannedEdge, { stack, settings, cloud }: FleetInput): PlannedMachine | undefined {
  if (host.kind !== "hetzner") return undefined;
  const { network } = settings.hetzner;
  const server = ownValue(cloud.servers, id);
  return {
    settings: host,
    name: nameMachine(stack, id),
    labels: { ...labelsOf(stack, "host"), "openclaw-tenants.host": id },
    firewall: planFirewall(host, edge, cloud.proxyRanges),
    isRebuilding: isRebuilding(host, server),
    isSettled: host.rebuild === undefined || host.rebuild === server?.rebuild,
    privateRanges: network === undefined ? [] : [network.ipRange],
  };
}

/** Directory of a tenant on a host that keeps data in one. */
export function directoryOf(hostDirectory: string | undefined, id: string): string | undefined {
  return hostDirectory === undefined ? undefined : `${hostDirectory}/tenants/${id}`;
}

/** Address of a tenant from outside. */
function planUrl(hostname: string, { isPublic, tls, httpPort, httpsPort }: PlannedEdge): string {
  const [scheme, port, usual] = tls === "none" ? ["http", httpPort, 80] : ["https", httpsPort, 443];
  return `${scheme}://${hostname}${isPublic && port === usual ? "" : `:${port}`}`;
}

function planTenant(
  tenant: Tenant,
  host: HostSettings,
  edge: PlannedEdge,
  libraryPath: string,
  { stack, settings, library, seeds, past }: FleetInput,
): PlannedTenant {
  const { id, port, skills, telegram } = tenant;
  const place = findSubnet(settings.subnetPool, port);
  if (place === undefined) throw new Error(`port ${port} has no subnet, although it was checked`);
  const hostname = `${id}.${settings.domain}`;
  const url = planUrl(hostname, edge);
  const authored = skills.author ? "write" : skills.authored ? "read" : "none";
  const config = renderGatewayConfig({
    tenant,
    url,
    tunnelUrl: edge.tunnelPort === undefined ? undefined : `http://${id}.localhost:${edge.tunnelPort}`,
    // What the gateway sees as its peer for a port published on loopback. Local clients are not forwarded at all.
    trustedProxies: edge.isPublic ? [place.gatewayIp] : [],
    skillDirs: [libraryPath, ...(authored === "none" ? [] : [AUTHORED_PATH])],
    disabledSkills: skills.shared === "all" ? [] : library.names.filter((name) => !skills.shared.includes(name)),
    otlpEndpoint: settings.otlpEndpoint,
  });

  return {
    id,
    status: tenant.status,
    expose: tenant.expose,
    hostname,
    url,
    image: tenant.image ?? (tenant.canary ? settings.canaryImage : undefined) ?? settings.image,
    names: nameTenant(stack, id),
    limits: planLimits(tenant, capacityOf(host).cpus),
    port,
    webhookPort: telegram?.mode === "webhook" ? port + WEBHOOK_OFFSET : undefined,
    ...place,
    configFile: planConfigFile(applyOverlay(config, tenant.config)),
    hasOverlay: tenant.config !== undefined,
    secrets: planSecrets(tenant),
    seed: ownValue(seeds, id) ?? [],
    authored,
    adopt: tenant.adopt,
    directory: directoryOf(host.kind === "hetzner" ? DATA_PATH : undefined, id),
    // The word may stay once it has moved, and says nothing any more.
    moveFrom: tenant.moveFrom === ownValue(past.tenants, id) ? tenant.moveFrom : undefined,
  };
}
