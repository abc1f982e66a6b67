import { readFileSync } from "node:fs";

import type { Tenant } from "../tenants/schema.ts";
import { fill } from "./fill.ts";
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
  /** Tenants' names end in it. */
  domain: string;
  edge: {
    network: "host" | "bridge";
    /** Whether the world may connect: then clients' addresses are forwarded. */
    isPublic: boolean;
    /** `none`: plain http. The others say whose certificates serve. */
    tls: "none" | "acme" | "internal" | "origin";
    httpPort: number;
    httpsPort: number;
    /** Port of the host's loopback where operators' tunnels end. Absent: there is none. */
    tunnelPort: number | undefined;
  };
  /** Addresses that Cloudflare calls from, when it stands in front. */
  proxyRanges: readonly string[];
  /** Whether callers must carry a certificate of the zone's, when Cloudflare stands in front. */
  hasClientCertificates: boolean;
  streamCloseDelaySeconds: number;
  sites: readonly Site[];
}

/** Where the edge finds the certificates that are brought to it. */
export const CERTIFICATES_PATH = "/certificates";
/** The files there: what the edge shows, its key, and who vouches for callers. */
export const CERTIFICATE_FILES = { certificate: "origin.pem", key: "origin.key", callers: "callers.pem" } as const;

/** What operators' calls come from, as a gateway sees it: any address that is not loopback, which it would refuse. Source: RFC 5737, for documentation. */
const OPERATOR_ADDRESS = "192.0.2.1";

/** The complete routes of one host. Sites are sorted, and nothing depends on a clock: equal input gives equal bytes. */
export function renderCaddyfile(args: CaddyfileArgs): string {
  const { edge, streamCloseDelaySeconds, sites } = args;
  const head = fill(template, {
    options: renderOptions(args),
    certificate: renderCertificate(args),
    streamCloseDelay: [`${streamCloseDelaySeconds}s`],
    clientAddress: renderClientAddress(edge),
    httpPort: [`${edge.httpPort}`],
  });
  const sorted = sites.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const { tunnelPort } = edge;
  const tunnels =
    tunnelPort === undefined ? [] : sorted.filter(({ status }) => status === "active").map((site) => renderTunnel(site, tunnelPort, streamCloseDelaySeconds));
  const hostnames = sorted.map(({ hostname }) => hostname);
  return [head, ...renderUnknown(edge, hostnames), ...sorted.map((site) => renderSite(site, edge)), ...tunnels].join("\n");
}

function renderOptions({ domain, edge, proxyRanges }: CaddyfileArgs): string[] {
  const { network, isPublic, tls, httpPort, httpsPort } = edge;
  const servers = [
    // Without the third: it needs UDP, which no firewall here lets in.
    "protocols h1 h2",
    ...(tls === "origin" ? [`trusted_proxies static ${proxyRanges.toSorted().join(" ")}`, "trusted_proxies_strict", "client_ip_headers Cf-Connecting-Ip"] : []),
  ];
  return [
    `http_port ${httpPort}`,
    ...(tls === "none" ? ["auto_https off"] : [`https_port ${httpsPort}`]),
    ...(tls === "internal" ? ["skip_install_trust"] : []),
    // A name nobody has is told so, instead of being hung up on.
    ...(tls === "origin" ? [`fallback_sni ${domain}`] : []),
    ...(isPublic || network === "bridge" ? [] : ["default_bind 127.0.0.1"]),
    ...(isPublic ? ["servers {", ...servers.map((line) => `\t${line}`), "}"] : []),
  ];
}

function renderCertificate({ edge, hasClientCertificates }: CaddyfileArgs): string[] {
  switch (edge.tls) {
    case "none":
      return ["# None: plain http."];
    case "acme":
      return ["# Caddy gets one for each name itself."];
    case "internal":
      return ["tls internal"];
    case "origin": {
      const line = `tls ${CERTIFICATES_PATH}/${CERTIFICATE_FILES.certificate} ${CERTIFICATES_PATH}/${CERTIFICATE_FILES.key}`;
      if (!hasClientCertificates) return [line];
      return [
        `${line} {`,
        "\tclient_auth {",
        "\t\tmode require_and_verify",
        `\t\ttrust_pool file ${CERTIFICATES_PATH}/${CERTIFICATE_FILES.callers}`,
        "\t}",
        "}",
      ];
    }
  }
}

/** What a gateway learns of its caller. */
function renderClientAddress({ isPublic, tls }: CaddyfileArgs["edge"]): string[] {
  // A browser on the same machine is a loopback client, and OpenClaw refuses a forwarded loopback address.
  if (!isPublic) return ["header_up -X-Forwarded-For", "header_up -X-Forwarded-Host", "header_up -X-Forwarded-Proto"];
  // Caddy passes Cloudflare's header on from anybody.
  const unforged = ["header_up -Cf-Connecting-Ip"];
  return tls === "origin" ? ["# What Cloudflare says, and nobody else.", "header_up X-Forwarded-For {client_ip}", ...unforged] : unforged;
}

/** Names that no tenant has. With a certificate for all of them they are told so over https as well. */
function renderUnknown({ tls, httpPort, httpsPort, tunnelPort }: CaddyfileArgs["edge"], hostnames: readonly string[]): string[] {
  const site = (address: string, ...lines: readonly string[]): string => [`${address} {`, ...lines.map((line) => `\t${line}`), "}", ""].join("\n");
  // Caddy leads to https by itself only where it gets the certificate itself.
  const toHttps = tls === "origin" && hostnames.length > 0 ? [`@tenant host ${hostnames.join(" ")}`, "redir @tenant https://{host}{uri} 308"] : [];
  return [
    `# A name that no tenant has.\n${site(`http://:${httpPort}`, ...toHttps, "respond 421")}`,
    ...(tls === "origin" ? [site(`https://:${httpsPort}`, "import certificate", "respond 421")] : []),
    ...(tunnelPort === undefined ? [] : [site(`http://:${tunnelPort}`, "bind 127.0.0.1", "respond 421")]),
  ];
}

/** Where an operator's tunnel ends: everything the gateway has, for whoever is on the host already. */
function renderTunnel({ id, upstream }: Site, port: number, streamCloseDelaySeconds: number): string {
  return [
    `http://${id}.localhost:${port} {`,
    "\tbind 127.0.0.1",
    `\timport access_log ${id}`,
    `\treverse_proxy ${upstream} {`,
    `\t\tstream_close_delay ${streamCloseDelaySeconds}s`,
    // The gateway takes a caller from loopback for its proxy, and asks who is behind it.
    `\t\theader_up X-Forwarded-For ${OPERATOR_ADDRESS}`,
    "\t}",
    "}",
    "",
  ].join("\n");
}

/** One site: exposed paths only, or the page of a suspended tenant. */
function renderSite({ id, hostname, upstream, webhookUpstream, status, expose }: Site, { tls, httpPort }: CaddyfileArgs["edge"]): string {
  const [address, certificate] = tls === "none" ? [`http://${hostname}:${httpPort}`, []] : [hostname, ["\timport certificate"]];
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
  return [`${address} {`, ...certificate, `\timport access_log ${id}`, ...body, "}", ""].join("\n");
}
