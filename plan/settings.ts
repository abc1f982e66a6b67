import { z } from "zod";

import { findImageMistakes } from "../lib/image.ts";
import { describeIssues, MistakesError } from "../lib/mistakes.ts";
import { GatewayImage } from "../tenants/schema.ts";
import { planEdge } from "./edge.ts";
import { Host, HostId, Range } from "./host-settings.ts";
import { DOCKER_POOLS, overlaps } from "./subnet.ts";

/** Oldest Caddy with everything the routes use (`trusted_proxies`, `stream_close_delay`, `client_ip_headers`). */
const OLDEST_CADDY = "2.8.0";

/** `ssh-ed25519 AAAA… ann@laptop`: one line, as in an authorized_keys file. */
const PublicKey = z
  .string()
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d{3}|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) [A-Za-z0-9+/]+=*( [\w.@+-]+)?$/,
    "paste the line of a public key file, for example ~/.ssh/id_ed25519.pub",
  );

/** Cloudflare's part. Its token is the provider's own: `cloudflare:apiToken`. */
const Dns = z.strictObject({
  /** 32 hex digits, on the zone's overview page. */
  zoneId: z.string().regex(/^[0-9a-f]{32}$/, "use the zone's id, 32 hex digits on its overview page"),
  /** Whether Cloudflare stands in front: then it alone may call, and its origin certificate serves. Else Caddy gets certificates of its own. */
  proxied: z.boolean().default(true),
  /** Host that every name without a tenant points to, where it is told so. Absent: such names do not exist. */
  wildcard: HostId.optional(),
  /** Whether a host admits only calls that carry a certificate of this zone's, so not those of Cloudflare's other customers. */
  originPulls: z.boolean().default(false),
});

/** What all servers at Hetzner share. */
const Hetzner = z.strictObject({
  /** A private network that every server joins; tenants cannot reach it. */
  network: z.strictObject({ ipRange: Range, zone: z.string().default("eu-central") }).optional(),
  /** Whether no two servers run on the same machine of Hetzner's; at most ten. */
  spread: z.boolean().default(false),
});

/** Settings of one stack, as `Pulumi.<stack>.yaml` holds them under `openclaw-tenants:settings`. */
export const Settings = z
  .strictObject({
    /** Tenants answer at `<id>.<domain>`. */
    domain: z.hostname(),
    /** OpenClaw image of every tenant that names none. */
    image: GatewayImage,
    /** The same for tenants marked `canary`. Absent: `image`. */
    canaryImage: GatewayImage.optional(),
    caddyImage: z.string().check(({ value, issues }) => {
      for (const message of findImageMistakes(value, { product: "Caddy", oldest: OLDEST_CADDY })) issues.push({ code: "custom", input: value, message });
    }),
    /** Tenants' subnets are cut from here, a /28 each, by port. */
    subnetPool: Range.default("10.214.0.0/17"),
    /** Ranges that are in use around the hosts (private network, VPN); the pool must not overlap them. */
    reservedSubnets: z.array(Range).default([]),
    /** Seconds that open WebSockets outlive a change of routes. */
    streamCloseDelaySeconds: z.int().min(1).max(604_800).default(43_200),
    /** Seconds a gateway has to become healthy before the update fails. Docker asks a new one for the first time after 15. */
    startTimeoutSeconds: z.int().min(30).max(1800).default(180),
    /** Base URL of an OTLP collector (http/protobuf). Absent: nothing is exported. */
    otlpEndpoint: z.url({ protocol: /^https?$/ }).optional(),
    /** Operators' public SSH keys by name; the private ones stay in their agents. Needed for hosts at Hetzner. */
    operators: z.record(HostId, PublicKey).default({}),
    dns: Dns.optional(),
    hetzner: Hetzner.prefault({}),
    hosts: z.record(HostId, Host).refine((hosts) => Object.keys(hosts).length > 0, { error: "name at least one host" }),
  })
  .superRefine((settings, context) => {
    for (const { path, message } of [...findSharedDockers(settings), ...findSharedKeys(settings), ...findOverlaps(settings), ...findOpenQuestions(settings)])
      context.addIssue({ code: "custom", path, message });
  });

export type Settings = z.output<typeof Settings>;

/** Parses a stack's settings and reports every mistake at once. `source` names the file in the error. */
export function parseSettings(input: unknown, source: string): Settings {
  const result = Settings.safeParse(input);
  if (result.success) return result.data;
  throw new MistakesError(`openclaw-tenants:settings in ${source}`, describeIssues(result.error, Settings, input));
}

interface Mistake {
  path: string[];
  message: string;
}

/** What the checks below look at. */
type Unchecked = Pick<z.output<typeof Settings>, "dns" | "hetzner" | "hosts" | "operators" | "reservedSubnets" | "subnetPool">;

/** Two hosts on one Docker would overwrite each other's things. */
function findSharedDockers({ hosts }: Unchecked): Mistake[] {
  const owners = new Map<string, string>();
  return Object.entries(hosts).flatMap(([id, host]) => {
    if (host.kind !== "docker") return [];
    const { endpoint = "DOCKER_HOST" } = host;
    const owner = owners.get(endpoint);
    owners.set(endpoint, owner ?? id);
    return owner === undefined
      ? []
      : [{ path: ["hosts", id, "endpoint"], message: `is the Docker of host "${owner}" already; give it an endpoint of its own` }];
  });
}

/** Hetzner takes a key once. */
function findSharedKeys({ operators }: Unchecked): Mistake[] {
  const owners = new Map<string, string>();
  return Object.entries(operators).flatMap(([id, line]) => {
    const key = line.split(" ", 2).join(" ");
    const owner = owners.get(key);
    owners.set(key, owner ?? id);
    return owner === undefined ? [] : [{ path: ["operators", id], message: `is the key of operator "${owner}" already; give each a key of their own` }];
  });
}

function findOverlaps({ subnetPool, reservedSubnets, hetzner: { network } }: Unchecked): Mistake[] {
  const taken = [
    ...DOCKER_POOLS.map((range) => ({ range, owner: "which Docker gives to networks without a subnet" })),
    ...reservedSubnets.map((range) => ({ range, owner: "which is reserved" })),
    ...(network === undefined ? [] : [{ range: network.ipRange, owner: "which is the servers' private network" }]),
  ];
  const mistakes = taken
    .filter(({ range }) => overlaps(subnetPool, range))
    .map(({ range, owner }) => ({ path: ["subnetPool"], message: `overlaps ${range}, ${owner}; 10.214.0.0/17 is usually free` }));
  const pool = network === undefined ? undefined : DOCKER_POOLS.find((range) => overlaps(network.ipRange, range));
  if (pool === undefined) return mistakes;
  const message = `overlaps ${pool}, which Docker gives to networks without a subnet; 10.20.0.0/24 is usually free`;
  return [...mistakes, { path: ["hetzner", "network", "ipRange"], message }];
}

/** What a host needs of the other settings. */
function findOpenQuestions({ dns, hosts, operators }: Unchecked): Mistake[] {
  const all = Object.entries(hosts);
  const mistakes = all.flatMap(([id, host]): Mistake[] => {
    const at = (field: string, message: string): Mistake => ({ path: ["hosts", id, field], message });
    switch (host.kind) {
      case "docker": {
        const { tls, httpPort, httpsPort, tunnelPort } = planEdge(host, { dns });
        const ports = [httpPort, ...(tls === "none" ? [] : [httpsPort]), ...(tunnelPort === undefined ? [] : [tunnelPort])];
        return [
          ...(tls === "origin" && dns?.proxied !== true ? [at("edge", 'tls "origin" needs Cloudflare in front; set dns with proxied: true')] : []),
          ...(new Set(ports).size < ports.length ? [at("edge", `its ports are ${ports.join(", ")}; give each a number of its own`)] : []),
        ];
      }
      case "hetzner":
        if (host.tailscale !== undefined && !host.image.startsWith("ubuntu-"))
          return [at("image", "Tailscale is installed from its packages for Ubuntu; use an image of Ubuntu's, or leave tailscale out")];
        return host.sshFrom.length === 0 && host.tailscale?.address === undefined
          ? [at("sshFrom", "nobody could log in; list the addresses you work from, or set tailscale.address")]
          : [];
    }
  });
  if (Object.keys(operators).length === 0 && all.some(([, { kind }]) => kind === "hetzner"))
    mistakes.push({ path: ["operators"], message: "nobody could log in to a host at Hetzner; name at least one public key" });
  if (dns?.wildcard !== undefined && hosts[dns.wildcard]?.kind !== "hetzner")
    mistakes.push({ path: ["dns", "wildcard"], message: "is no host at Hetzner; name one, or leave it out" });
  if (dns?.originPulls === true && !dns.proxied) mistakes.push({ path: ["dns", "originPulls"], message: "needs Cloudflare in front; set proxied: true" });
  return mistakes;
}
