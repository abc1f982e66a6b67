import { readFileSync } from "node:fs";

import type { Tenant } from "../tenants/schema.ts";
import { WEBHOOK_PATH } from "./openclaw.ts";

const template = readFileSync(new URL("Caddyfile", import.meta.url), "utf8");

/** Name that the edge's own health check asks for. Without a dot, it is no tenant's on any domain. */
export const HEALTH_HOSTNAME = "edge-health";

/**
 * Paths of a gateway that carry an operator's or a machine's power, read in the routes of OpenClaw 2026.9.6. With the Control UI exposed all others
 * are routed, so these are named; a prefix with a dash or a dot behind it is closed as well.
 */
const PRIVATE_PATHS: readonly string[] = [
  "/__openclaw__/worker*",
  "/acp*",
  "/api/cli*",
  "/api/v1*",
  "/hooks*",
  "/plugins/*",
  "/readyz*",
  "/startupz*",
  WEBHOOK_PATH,
  "/tools*",
  "/v1*",
];

/** One tenant as the edge sees it. */
export interface Site {
  id: string;
  hostname: string;
  /** Address of the gateway as Caddy dials it, `127.0.0.1:18801`. */
  upstream: string;
  /** Address of its Telegram listener. Absent: no webhook. */
  webhookUpstream: string | undefined;
  status: Tenant["status"];
  expose: Tenant["expose"];
}

export interface CaddyfileArgs {
  /** Whether the world may connect: https with certificates of Caddy's own, client addresses forwarded. */
  isPublic: boolean;
  httpPort: number;
  /** Address to listen on. Absent: all. */
  bind: string | undefined;
  streamCloseDelaySeconds: number;
  sites: readonly Site[];
}

/** The complete routes of one host. Sites are sorted, and nothing depends on a clock: equal input gives equal bytes. */
export function renderCaddyfile({ isPublic, httpPort, bind, streamCloseDelaySeconds, sites }: CaddyfileArgs): string {
  const head = fill(template, {
    options: [`http_port ${httpPort}`, ...(isPublic ? [] : ["auto_https off"]), ...(bind === undefined ? [] : [`default_bind ${bind}`])],
    streamCloseDelay: [`${streamCloseDelaySeconds}s`],
    // A browser on the same machine is a loopback client, and OpenClaw refuses a forwarded loopback address.
    clientAddress: isPublic
      ? ["# Client addresses are forwarded."]
      : ["header_up -X-Forwarded-For", "header_up -X-Forwarded-Host", "header_up -X-Forwarded-Proto"],
    httpPort: [`${httpPort}`],
  });
  const bodies = sites
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((site) => renderSite(site, isPublic ? site.hostname : `http://${site.hostname}:${httpPort}`));
  return [head, ...bodies].join("\n");
}

/** One site: exposed paths only, or the page of a suspended tenant. */
function renderSite({ id, upstream, webhookUpstream, status, expose }: Site, address: string): string {
  const handle = (matcher: string, directive: string): string[] => [`\thandle ${matcher}{`, `\t\t${directive}`, "\t}"];
  const toGateway = `import gateway ${upstream}`;
  const body =
    status === "suspended"
      ? ["\timport suspended"]
      : [
          "\timport plain_paths",
          ...handle("/healthz ", toGateway),
          ...(expose.includes("hooks") ? handle("/hooks/* ", toGateway) : []),
          ...(expose.includes("api") ? handle("/v1/* ", toGateway) : []),
          ...(webhookUpstream === undefined ? [] : handle(`${WEBHOOK_PATH} `, `import gateway ${webhookUpstream}`)),
          ...(expose.includes("controlUi")
            ? [`\t@private path ${PRIVATE_PATHS.join(" ")}`, ...handle("@private ", "respond 404"), ...handle("", toGateway)]
            : handle("", "respond 404")),
        ];
  return [`${address} {`, `\timport access_log ${id}`, ...body, "}", ""].join("\n");
}

/** Puts lines in place of `{{name}}`, at the indentation of the first. Throws when the template and the values do not match. */
function fill(text: string, values: Readonly<Record<string, readonly string[]>>): string {
  const used = new Set<string>();
  const filled = text.replaceAll(/^(\t*)(.*?)\{\{(\w+)\}\}/gm, (_, indent: string, before: string, name: string) => {
    const lines = values[name];
    if (lines === undefined) throw new Error(`the template asks for {{${name}}}, which nobody fills in`);
    used.add(name);
    return `${indent}${before}${lines.join(`\n${indent}`)}`;
  });
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`the template has no {{${unused.join("}}, {{")}}}`);
  return filled;
}
