import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { HEALTH_HOSTNAME, renderCaddyfile, type Site } from "../../templates/caddyfile.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { roomy, secretsFor, tenantLists } from "../support/arbitraries.ts";
import { hetznerSettings, plan, plannedHost, settings, tenant } from "../support/fleet.ts";

function routesOf(over: Partial<TenantInput>, host = "laptop"): string {
  return plannedHost(plan([tenant({ host, ...over })], { secrets: { acme: ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"] } }), host).routes;
}

/** Routes of a server behind Cloudflare with a running tenant and a suspended one. */
function cloudRoutes({ originPulls = false } = {}): string {
  const list = [tenant({ host: "host-1" }), tenant({ id: "globex", port: 18802, host: "host-1", status: "suspended" })];
  const dns = { zoneId: "0123456789abcdef".repeat(2), originPulls };
  return plannedHost(plan(list, { settings: hetznerSettings({ dns }) }), "host-1").routes;
}

/** The site of one hostname, without those around it. */
function siteOf(routes: string, address: string): string {
  const start = routes.indexOf(`\n${address} {\n`);
  if (start === -1) throw new Error(`no site ${address} in:\n${routes}`);
  return routes.slice(start + 1, routes.indexOf("\n}", start) + 2);
}

const local = "http://acme.example.com:8080";

describe("a host's routes", () => {
  it("let only the health check through to a tenant that exposes nothing", () => {
    const site = siteOf(routesOf({}), local);
    expect(site.match(/import gateway/g)).toHaveLength(1);
    expect(site).toContain("\thandle /healthz {\n\t\timport gateway 127.0.0.1:18801\n");
    expect(site).toMatch(/\thandle \{\n\t\trespond 404\n\t\}\n\}$/);
  });

  it("add the paths of what is exposed, and no more", () => {
    expect(siteOf(routesOf({ expose: ["hooks"] }), local)).toContain("handle /hooks/* {");
    expect(siteOf(routesOf({ expose: ["hooks"] }), local)).not.toContain("/v1/*");
    expect(siteOf(routesOf({ expose: ["api"] }), local)).toContain("handle /v1/* {");
    expect(siteOf(routesOf({ expose: ["api"] }), local)).not.toContain("/hooks/*");
  });

  it("close the operator's paths even where the Control UI takes all others", () => {
    const site = siteOf(routesOf({ expose: ["controlUi"] }), local);
    const closed = /@private path (.*)/.exec(site)?.[1]?.split(" ") ?? [];
    for (const path of ["/tools*", "/api/v1*", "/hooks*", "/v1*", "/plugins/*", "/readyz*"]) expect(closed).toContain(path);
    expect(site.indexOf("handle @private")).toBeLessThan(site.lastIndexOf("import gateway"));
  });

  it("turn away what OpenClaw would decode into another path, before anything else", () => {
    for (const expose of [[], ["hooks", "controlUi", "api"]] as const) {
      const site = siteOf(routesOf({ expose: [...expose] }), local);
      expect(site.indexOf("import plain_paths")).toBeGreaterThan(0);
      expect(site.indexOf("import plain_paths")).toBeLessThan(site.indexOf("handle"));
    }
    expect(routesOf({})).toContain("(plain_paths) {\n\t@twisted path_regexp [%\\\\]\n\thandle @twisted {\n\t\trespond 404\n");
  });

  it("send Telegram to the listener and not to the gateway", () => {
    const site = siteOf(routesOf({ telegram: { mode: "webhook" } }, "server"), "acme.example.com");
    expect(site).toContain("handle /telegram-webhook {\n\t\timport gateway 127.0.0.1:28801\n");
  });

  it("show the page of a suspended tenant and reach nothing of it", () => {
    const site = siteOf(routesOf({ status: "suspended", expose: ["controlUi", "hooks", "api"] }), local);
    expect(site).toContain("import suspended");
    expect(site).not.toContain("gateway");
  });

  it("listen on this machine alone unless the host is for the world", () => {
    expect(routesOf({})).toMatch(/\tdefault_bind 127\.0\.0\.1\n/);
    expect(routesOf({}, "server")).not.toContain("default_bind");
    expect(routesOf({}, "server")).not.toContain("auto_https off");
  });

  it("refuse names that nobody has, wherever they are asked for", () => {
    expect(siteOf(routesOf({}), "http://:8080")).toContain("respond 421");
    for (const address of ["http://:80", "https://:443", "http://:8080"]) expect(siteOf(cloudRoutes(), address)).toContain("\trespond 421\n}");
    expect(siteOf(cloudRoutes(), "https://:443")).toContain("\timport certificate\n");
    // Nobody but whoever is on the host already gets as far as a tunnel.
    expect(siteOf(cloudRoutes(), "http://:8080")).toContain("\tbind 127.0.0.1\n");
  });

  it("lead to https by themselves where the certificate is not of Caddy's own making, for tenants' names alone", () => {
    const site = siteOf(cloudRoutes(), "http://:80");
    expect(site).toContain("@tenant host acme.example.com globex.example.com\n\tredir @tenant https://{host}{uri} 308\n");
    expect(siteOf(routesOf({}, "server"), "http://:80")).not.toContain("redir");
  });

  it("believe a client's address of Cloudflare alone, and pass on nobody's word for it", () => {
    const behind = cloudRoutes();
    for (const option of [
      "trusted_proxies static 103.21.244.0/22 173.245.48.0/20 2400:cb00::/32",
      "trusted_proxies_strict",
      "client_ip_headers Cf-Connecting-Ip",
    ])
      expect(behind).toContain(`\t\t${option}\n`);
    const snippet = (routes: string): string => siteOf(routes, "(gateway)");
    expect(snippet(behind)).toContain("header_up X-Forwarded-For {client_ip}");
    expect(snippet(behind)).toContain("header_up -Cf-Connecting-Ip");
    const open = routesOf({}, "server");
    expect(open).not.toContain("trusted_proxies");
    expect(snippet(open)).toContain("header_up -Cf-Connecting-Ip");
    expect(snippet(open)).not.toContain("client_ip");
  });

  it("end operators' tunnels on loopback, at running tenants alone, as calls from outside", () => {
    const routes = cloudRoutes();
    const tunnel = siteOf(routes, "http://acme.localhost:8080");
    for (const line of ["bind 127.0.0.1", "import access_log acme", "reverse_proxy 127.0.0.1:18801 {", "header_up X-Forwarded-For 192.0.2.1"])
      expect(tunnel).toContain(line);
    // As long as everybody else's.
    expect(tunnel).toContain("stream_close_delay 43200s");
    expect(routes).not.toContain("globex.localhost");
    expect(routesOf({})).not.toContain(".localhost:8080");
  });

  it("ask callers for a certificate where the settings say so, and nowhere else", () => {
    expect(cloudRoutes({ originPulls: true })).toContain("mode require_and_verify\n\t\t\ttrust_pool file /certificates/callers.pem\n");
    expect(cloudRoutes()).not.toContain("client_auth");
  });

  it("keep sockets open across a change for as long as the settings say", () => {
    expect(routesOf({})).toContain("stream_close_delay 43200s");
    expect(plannedHost(plan([tenant()], { settings: settings({ streamCloseDelaySeconds: 5 }) })).routes).toContain("stream_close_delay 5s");
  });

  it("have one site per tenant, of its own host only, plus the health check and the rest", () => {
    fc.assert(
      fc.property(tenantLists, (list) => {
        for (const { routes, tenants, edge } of plan(list, { settings: roomy, secrets: secretsFor(list) }).hosts) {
          const sites = [...routes.matchAll(/^(\S+) \{$/gm)].map(([, address = ""]) => address).filter((address) => !address.startsWith("("));
          const { tls, httpPort, tunnelPort } = edge;
          const own = tenants.map(({ hostname }) => (tls === "none" ? `http://${hostname}:${httpPort}` : hostname));
          const running = tenants.filter(({ status }) => status === "active");
          const tunnels = tunnelPort === undefined ? [] : [`http://:${tunnelPort}`, ...running.map(({ id }) => `http://${id}.localhost:${tunnelPort}`)];
          const unknown = [`http://:${httpPort}`, ...(tls === "origin" ? [`https://:${edge.httpsPort}`] : [])];
          expect(sites.toSorted()).toEqual([...own, ...tunnels, ...unknown, `http://${HEALTH_HOSTNAME}:${httpPort}`].toSorted());
        }
      }),
    );
  });

  it("do not depend on the order of the sites", () => {
    const site: Omit<Site, "id"> = { hostname: "a.example.com", upstream: "127.0.0.1:1", webhookUpstream: undefined, status: "active", expose: [] };
    const sites: Site[] = [
      { ...site, id: "acme" },
      { ...site, id: "globex" },
    ];
    const { edge } = plannedHost(plan([tenant()]));
    const args = { domain: "example.com", edge, proxyRanges: [], hasClientCertificates: false, streamCloseDelaySeconds: 1 };
    expect(renderCaddyfile({ ...args, sites: sites.toReversed() })).toBe(renderCaddyfile({ ...args, sites }));
  });
});
