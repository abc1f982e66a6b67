import type { z } from "zod";

import type { JsonObject } from "../lib/json.ts";
import { shortHash } from "../lib/hash.ts";
import { parseImage } from "../lib/image.ts";
import { describeIssues, mistakesError } from "../lib/mistakes.ts";
import { ownValue } from "../lib/own.ts";
import { renderCaddyfile } from "../templates/caddyfile.ts";
import { renderGatewayConfig } from "../templates/openclaw.ts";
import { Tenant } from "../tenants/schema.ts";
import { findClashes, findFullHosts, findPastMistakes, findPlacementMistakes, findSkillMistakes, type Past } from "./checks.ts";
import { type ConfigFile, planConfigFile } from "./config-file.ts";
import { findLibraryMistakes, type PlacedFile, type SkillLibrary } from "./files.ts";
import { type GatewayLimits, planLimits } from "./limits.ts";
import { findModelMistakes } from "./model.ts";
import { nameHost, nameTenant, type TenantNames } from "./names.ts";
import { findConfigMistakes, keptVersions } from "./openclaw-schema.ts";
import { applyOverlay, findOverlayMistakes } from "./overlay.ts";
import { findMissingSecrets, planSecrets, type SecretNames } from "./secrets.ts";
import { type HostSettings, type Settings, WEBHOOK_OFFSET } from "./settings.ts";
import { type Cidr, findSubnet } from "./subnet.ts";

/** Where the shared library lies in every gateway; the content's hash follows. */
export const SKILLS_PATH = "/opt/openclaw-skills";
/** Where the authoring instance writes and others read. */
export const AUTHORED_PATH = "/opt/openclaw-authored";

/** Everything a plan follows from. */
export interface FleetInput {
  stack: string;
  /** The list as the operator wrote it. */
  tenants: readonly unknown[];
  settings: Settings;
  secrets: SecretNames;
  library: SkillLibrary;
  /** Files a tenant's workspace starts with, by id. */
  seeds: Readonly<Record<string, readonly PlacedFile[]>>;
  past: Past;
}

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

/** What the program creates; complete before anything exists. */
export interface Fleet {
  stack: string;
  caddyImage: string;
  startTimeoutSeconds: number;
  hosts: PlannedHost[];
  /** Host of every removed tenant whose data is kept, by id. */
  retained: Record<string, string>;
}

/**
 * Decides everything: equal input gives equal output, and no tenant's place depends on another.
 * Throws one UserError with every mistake of the list.
 */
export function planFleet(input: FleetInput): Fleet {
  const { stack, settings, library, past } = input;
  const tenants = parseAll(input);
  const libraryPath = `${SKILLS_PATH}/${shortHash(JSON.stringify(library.files))}`;

  const hosts = Object.entries(settings.hosts)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, host]) => planHost({ id, host, tenants: tenants.filter((tenant) => tenant.host === id), libraryPath }, input));

  const mistakes = hosts.flatMap(({ tenants: planned }) => planned.flatMap(findRenderedMistakes));
  if (mistakes.length > 0) throw mistakesError(`the tenants list of stack "${stack}"`, mistakes);

  const kept = { ...past.retained, ...past.tenants };
  const retained = Object.fromEntries(Object.entries(kept).filter(([id]) => !tenants.some((tenant) => tenant.id === id)));
  return { stack, caddyImage: settings.caddyImage, startTimeoutSeconds: settings.startTimeoutSeconds, hosts, retained };
}

/** Parses every entry and holds the sound ones against each other, the settings and the past. Throws all mistakes at once. */
function parseAll({ stack, tenants: entries, settings, secrets, library, past }: FleetInput): Tenant[] {
  const results = entries.map((entry, index) => ({ entry, index, result: Tenant.safeParse(entry) }));
  const tenants = results.flatMap(({ entry, result }) => result.data ?? salvage(entry, result.error) ?? []);
  const mistakes = [
    ...results.flatMap(({ entry, index, result }) => (result.success ? [] : describeIssues(result.error, Tenant, entry).map((line) => `${nameEntry(entry, index)}, ${line}`))),
    ...findClashes(tenants),
    ...tenants.flatMap((tenant) => [
      ...findPlacementMistakes(tenant, settings),
      ...findPastMistakes(tenant, past),
      ...findModelMistakes(tenant),
      ...findOverlayMistakes(tenant),
      ...findMissingSecrets(tenant, stack, secrets),
    ]),
    // Without those whose limits or status could not be read.
    ...findFullHosts(results.flatMap(({ result }) => result.data ?? []), settings.hosts),
    ...findLibraryMistakes(library),
    ...findSkillMistakes(tenants, library.names),
  ];
  if (mistakes.length > 0) throw mistakesError(`the tenants list of stack "${stack}"`, mistakes);
  return tenants;
}

/** The entry without its wrong fields, so that what is wrong with the others is told in the same run. */
function salvage(entry: unknown, error: z.ZodError<Tenant>): Tenant | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const wrong: unknown[] = error.issues.flatMap((issue) => (issue.code === "unrecognized_keys" && issue.path.length === 0 ? issue.keys : [issue.path[0]]));
  // Which secrets an overlay may name follows from these.
  if (["env", "model", "telegram"].some((key) => wrong.includes(key))) wrong.push("config");
  return Tenant.safeParse(Object.fromEntries(Object.entries(entry).filter(([key]) => !wrong.includes(key)))).data;
}

function nameEntry(entry: unknown, index: number): string {
  const id = typeof entry === "object" && entry !== null && "id" in entry ? entry.id : undefined;
  return typeof id === "string" ? `tenant ${JSON.stringify(id)}` : `tenant number ${index + 1}`;
}

/** An overlay that this version of OpenClaw would refuse, or that cannot be checked because its schema is not kept. */
function findRenderedMistakes({ id, image, configFile, hasOverlay }: PlannedTenant): string[] {
  if (!hasOverlay) return [];
  const { version = "" } = parseImage(image);
  if (!keptVersions().includes(version)) return [`tenant "${id}", field config: the schema of OpenClaw ${version} is not kept here, so an overlay cannot be checked; there are ${keptVersions().join(", ")}`];
  return findConfigMistakes(version, JSON.parse(configFile.text) as JsonObject).map((line) => `tenant "${id}", field config.${line}`);
}

interface HostPart {
  id: string;
  host: HostSettings;
  tenants: readonly Tenant[];
  libraryPath: string;
}

function planHost({ id, host, tenants, libraryPath }: HostPart, input: FleetInput): PlannedHost {
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
      sites: planned.map(({ port, webhookPort, ...site }) => ({ ...site, upstream: `${dial}:${port}`, webhookUpstream: webhookPort === undefined ? undefined : `${dial}:${webhookPort}` })),
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
