import { z } from "zod";

import { findImageMistakes } from "../lib/image.ts";
import { describeIssues, mistakesError } from "../lib/mistakes.ts";
import { FIRST_PORT, GatewayImage, LAST_PORT } from "../tenants/schema.ts";
import { DOCKER_POOLS, overlaps, parseCidr } from "./subnet.ts";

/** Oldest Caddy with everything the routes use (`trusted_proxies`, `stream_close_delay`, `client_ip_headers`). */
const OLDEST_CADDY = "2.8.0";

/** Added to a tenant's port: where its Telegram listener is published. Keeps clear of tenants' ports and of ephemeral ones. */
export const WEBHOOK_OFFSET = 10_000;

function isTenantPort(port: number): boolean {
  return [port, port - WEBHOOK_OFFSET].some((each) => each >= FIRST_PORT && each <= LAST_PORT);
}

const Range = z.string().superRefine((cidr, context) => {
  try {
    parseCidr(cidr);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    context.addIssue({ code: "custom", message: error.message, continue: false });
  }
});

const Edge = z.strictObject({
  /** `host`: Caddy shares the host's network and dials tenants on 127.0.0.1. `bridge`: for Docker Desktop, which has no such network. */
  network: z.enum(["host", "bridge"]).default("host"),
  /** Whether the world may connect: then Caddy serves https with certificates of its own, and clients' addresses are forwarded. Default: this machine only, plain http. */
  public: z.boolean().default(false),
  /** Default: 8080, or 80 when public. */
  httpPort: z
    .int()
    .min(1)
    .max(65_535)
    .refine((port) => !isTenantPort(port), {
      error: `ports ${FIRST_PORT}-${LAST_PORT} belong to tenants and ${FIRST_PORT + WEBHOOK_OFFSET}-${LAST_PORT + WEBHOOK_OFFSET} to their webhooks; choose another`,
    })
    .optional(),
});

/** A machine that already runs Docker: this one, or one reached over ssh. */
const DockerHost = z.strictObject({
  kind: z.literal("docker"),
  /** `ssh://user@address`, or absent: what DOCKER_HOST says. */
  endpoint: z
    .string()
    .regex(/^(ssh|tcp|unix):\/\/\S+$/, "write it as ssh://user@address")
    .optional(),
  /** MiB the machine has. */
  memoryMb: z.int().min(1024),
  cpus: z.int().min(1),
  /** MiB kept for the system, Caddy and Docker. */
  reserveMb: z.int().min(256).default(1024),
  edge: Edge.prefault({}),
});

const HostId = z.string().regex(/^[a-z][a-z0-9-]{0,28}[a-z0-9]$/, "use 2-30 lowercase letters, digits or dashes");

/** Settings of one stack, as `Pulumi.<stack>.yaml` holds them under `openclaw-tenants:settings`. */
export const Settings = z
  .strictObject({
    /** Tenants answer at `<id>.<domain>`. */
    domain: z.hostname(),
    /** OpenClaw image of every tenant that names none. */
    image: GatewayImage,
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
    hosts: z.record(HostId, z.discriminatedUnion("kind", [DockerHost])).refine((hosts) => Object.keys(hosts).length > 0, { error: "name at least one host" }),
  })
  .superRefine(({ subnetPool, reservedSubnets, hosts }, context) => {
    const owners = new Map<string, string>();
    for (const [id, { endpoint = "DOCKER_HOST" }] of Object.entries(hosts)) {
      const owner = owners.get(endpoint);
      if (owner === undefined) owners.set(endpoint, id);
      else
        context.addIssue({
          code: "custom",
          path: ["hosts", id, "endpoint"],
          message: `is the Docker of host "${owner}" already; give it an endpoint of its own`,
        });
    }
    for (const taken of [...DOCKER_POOLS, ...reservedSubnets]) {
      if (overlaps(subnetPool, taken)) {
        const owner = DOCKER_POOLS.includes(taken) ? "which Docker gives to networks without a subnet" : "which is reserved";
        context.addIssue({ code: "custom", path: ["subnetPool"], message: `overlaps ${taken}, ${owner}; 10.214.0.0/17 is usually free` });
      }
    }
  });

export type Settings = z.output<typeof Settings>;
export type HostSettings = Settings["hosts"][string];

/** Parses a stack's settings and reports every mistake at once. `source` names the file in the error. */
export function parseSettings(input: unknown, source: string): Settings {
  const result = Settings.safeParse(input);
  if (result.success) return result.data;
  throw mistakesError(`openclaw-tenants:settings in ${source}`, describeIssues(result.error, Settings, input));
}
