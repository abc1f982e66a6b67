import { ownValue } from "../lib/own.ts";
import { renderCaddyfile } from "../templates/caddyfile.ts";
import { renderGatewayConfig } from "../templates/openclaw.ts";
import type { Tenant } from "../tenants/schema.ts";
import { type ConfigFile, planConfigFile } from "./config-file.ts";
import type { PlacedFile, SkillLibrary } from "./files.ts";
import { type GatewayLimits, planLimits } from "./limits.ts";
import { nameHost, nameTenant, type TenantNames } from "./names.ts";
import { applyOverlay } from "./overlay.ts";
import type { FleetInput } from "./parse.ts";
import { planSecrets } from "./secrets.ts";
import { type HostSettings, WEBHOOK_OFFSET } from "./settings.ts";
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
}

/** One host with all that runs on it. */
export interface PlannedHost {
  id: string;
  settings: HostSettings;
  names: ReturnType<typeof nameHost>;
  httpPort: number;
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
  const { stack, settings, library } = input;
  const httpPort = host.edge.httpPort ?? (host.edge.public ? 80 : 8080);
  const planned = tenants.map((tenant) => planTenant(tenant, host, httpPort, libraryPath, input)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  // Docker Desktop has no host network; there a bridge reaches the host's loopback by this name.
  const dial = host.edge.network === "host" ? "127.0.0.1" : "host.docker.internal";

  return {
    id,
    settings: host,
    names: nameHost(stack, id),
    httpPort,
    images: [...new Set(planned.map(({ image }) => image))].toSorted(),
    library: { ...library, path: libraryPath },
    hasAuthor: tenants.some(({ skills }) => skills.author),
    routes: renderCaddyfile({
      isPublic: host.edge.public,
      httpPort,
      bind: host.edge.public || host.edge.network === "bridge" ? undefined : "127.0.0.1",
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

function planTenant(tenant: Tenant, host: HostSettings, httpPort: number, libraryPath: string, { stack, settings, library, seeds }: FleetInput): PlannedTenant {
  const { id, port, skills, telegram } = tenant;
  const place = findSubnet(settings.subnetPool, port);
  if (place === undefined) throw new Error(`port ${port} has no subnet, although it was checked`);
  const hostname = `${id}.${settings.domain}`;
  const url = host.edge.public ? `https://${hostname}` : `http://${hostname}:${httpPort}`;
  const authored = skills.author ? "write" : skills.authored ? "read" : "none";
  const config = renderGatewayConfig({
    tenant,
    url,
    // What the gateway sees as its peer for a port published on loopback. Local clients are not forwarded at all.
    trustedProxies: host.edge.public ? [place.gatewayIp] : [],
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
    image: tenant.image ?? settings.image,
    names: nameTenant(stack, id),
    limits: planLimits(tenant, host.cpus),
    port,
    webhookPort: telegram?.mode === "webhook" ? port + WEBHOOK_OFFSET : undefined,
    ...place,
    configFile: planConfigFile(applyOverlay(config, tenant.config)),
    hasOverlay: tenant.config !== undefined,
    secrets: planSecrets(tenant),
    seed: ownValue(seeds, id) ?? [],
    authored,
    adopt: tenant.adopt,
  };
}
