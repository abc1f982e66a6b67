import { z } from "zod";

import { FIRST_PORT, LAST_PORT } from "../tenants/schema.ts";
import { findServerType, SERVER_RESERVE_MB, SERVER_TYPES } from "./server-types.ts";
import { parseCidr } from "./subnet.ts";

/** Added to a tenant's port: where its Telegram listener is published. Keeps clear of tenants' ports and of ephemeral ones. */
export const WEBHOOK_OFFSET = 10_000;

function isTenantPort(port: number): boolean {
  return [port, port - WEBHOOK_OFFSET].some((each) => each >= FIRST_PORT && each <= LAST_PORT);
}

const Port = z
  .int()
  .min(1)
  .max(65_535)
  .refine((port) => !isTenantPort(port), {
    error: `ports ${FIRST_PORT}-${LAST_PORT} belong to tenants and ${FIRST_PORT + WEBHOOK_OFFSET}-${LAST_PORT + WEBHOOK_OFFSET} to their webhooks; choose another`,
  });

/** A range of IPv4 addresses that starts where its prefix says. */
export const Range = z.string().superRefine((cidr, context) => {
  try {
    parseCidr(cidr);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    context.addIssue({ code: "custom", message: error.message, continue: false });
  }
});

/** Where callers come from, IPv4 or IPv6, written as Hetzner's firewalls want it. */
const Source = z.union([Range, z.cidrv6({ abort: true })], { error: "write it as a range: 203.0.113.7/32 for one address, 0.0.0.0/0 for everybody" });

const Edge = z.strictObject({
  /** `host`: Caddy shares the host's network and dials tenants on 127.0.0.1. `bridge`: for Docker Desktop, which has no such network. */
  network: z.enum(["host", "bridge"]).default("host"),
  /** Whether the world may connect: then clients' addresses are forwarded, and operators get a door of their own on `tunnelPort`. Default: this machine only. */
  public: z.boolean().default(false),
  /** `acme`: certificates of Caddy's own; `origin`: Cloudflare's, behind its proxy; `internal`: Caddy's own authority, which no browser knows. Default: acme when public, else plain http. */
  tls: z.enum(["acme", "internal", "origin"]).optional(),
  /** Default: 8080, or 80 when public. */
  httpPort: Port.optional(),
  /** Default: 8443, or 443 when public. */
  httpsPort: Port.optional(),
  /** Where a public host's loopback serves what operators reach through a tunnel. */
  tunnelPort: Port.default(8080),
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

/** A server that this program orders at Hetzner, hardens and runs. */
const HetznerHost = z.strictObject({
  kind: z.literal("hetzner"),
  /** Memory, cores and price follow from it: plan/server-types.ts. A change powers the server off and on again. */
  serverType: z.string().refine((name) => findServerType(name) !== undefined, {
    error: `no such type in plan/server-types.ts; it has ${SERVER_TYPES.map(({ name }) => name).join(", ")}`,
  }),
  /** `fsn1`, `nbg1`, `hel1`, … Permanent: a data volume cannot leave its location. */
  location: z.string().regex(/^[a-z]{3}\d?$/, "use a location of Hetzner's, for example fsn1"),
  /** What a new or rebuilt server starts from. */
  image: z.string().default("ubuntu-24.04"),
  /** GB of the volume that holds everything tenants own. Grows, never shrinks. */
  dataGb: z.int().min(10).max(10_240),
  /** MiB kept for the system, Caddy and Docker. */
  reserveMb: z.int().min(1024).default(SERVER_RESERVE_MB),
  /** MiB of swap for the system; tenants have none. */
  swapMb: z.int().min(0).max(16_384).default(2048),
  /** Daily images of the server's own disk, 20 % of its price. The data volume is not in them. */
  backups: z.boolean().default(true),
  /** Guards server, volume and addresses here and at Hetzner. Lifted on purpose, by hand, before a host may be rebuilt or go. */
  protected: z.boolean().default(true),
  /** Builds the server anew, once for every new word; a date is a good one, in quotes, or YAML makes a time of it. Data and addresses stay. */
  rebuild: z
    .string()
    .regex(/^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/, 'use letters, digits, dots and dashes, in quotes: "2026-12-24"')
    .optional(),
  /** Who may knock at port 22. */
  sshFrom: z.array(Source).default([]),
  /** Local time at which the server reboots when a security upgrade asks for it. */
  rebootAt: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "write it as 04:00")
    .default("04:00"),
  /** Tailscale is installed. With `address` the program connects there, and port 22 is closed to the world. */
  tailscale: z.strictObject({ address: z.hostname().optional() }).optional(),
});

/** Key of a host. */
export const HostId = z.string().regex(/^[a-z][a-z0-9-]{0,28}[a-z0-9]$/, "use 2-30 lowercase letters, digits or dashes");

export const Host = z.discriminatedUnion("kind", [DockerHost, HetznerHost]);

export type HostSettings = z.output<typeof Host>;
export type HetznerSettings = z.output<typeof HetznerHost>;
