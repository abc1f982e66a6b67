import { describe, expect, it } from "vitest";

import { planEdge, type PlannedEdge } from "../../plan/edge.ts";
import { planFirewall } from "../../plan/machine.ts";
import type { HetznerSettings } from "../../plan/host-settings.ts";
import type { Settings } from "../../plan/settings.ts";
import { account, dockerHost, hetznerHost, hetznerSettings, plan, plannedHost, plannedTenant, settings, tenant } from "../support/fleet.ts";

const zoneId = "0123456789abcdef".repeat(2);
const proxied = { zoneId, proxied: true, originPulls: false };

type EdgeInput = NonNullable<NonNullable<Parameters<typeof dockerHost>[0]>["edge"]>;

/** The edge of a machine of the operator's own. */
function own(edge: EdgeInput, dns?: Settings["dns"]): PlannedEdge {
  const parsed = settings({ hosts: { own: dockerHost({ edge }) }, ...(dns === undefined ? {} : { dns }) });
  return planEdge(parsed.hosts["own"] ?? expect.fail(), parsed);
}

/** A server at Hetzner, parsed. */
function server(over: Parameters<typeof hetznerHost>[0] = {}): HetznerSettings {
  const host = hetznerSettings({ hosts: { "host-1": hetznerHost(over) } }).hosts["host-1"];
  if (host?.kind !== "hetzner") throw new Error("that is no server at Hetzner");
  return host;
}

const portsOf = (host: HetznerSettings, edge: PlannedEdge): Record<string, readonly string[]> =>
  Object.fromEntries(planFirewall(host, edge, account.proxyRanges).map(({ description, sourceIps }) => [description, sourceIps]));

describe("an edge", () => {
  it("serves this machine alone, in plain http, unless it is told otherwise", () => {
    expect(own({})).toEqual({ network: "host", isPublic: false, tls: "none", httpPort: 8080, httpsPort: 8443, tunnelPort: undefined });
    expect(own({ tls: "internal" })).toMatchObject({ isPublic: false, tls: "internal", httpsPort: 8443 });
  });

  it("gets certificates of its own before the world, and gives operators a door on loopback", () => {
    expect(own({ public: true })).toEqual({ network: "host", isPublic: true, tls: "acme", httpPort: 80, httpsPort: 443, tunnelPort: 8080 });
    // On a bridge Caddy has no part in the host's loopback.
    expect(own({ public: true, network: "bridge" }).tunnelPort).toBeUndefined();
    expect(own({ public: true, httpPort: 8000, httpsPort: 8444, tunnelPort: 9000 })).toMatchObject({ httpPort: 8000, httpsPort: 8444, tunnelPort: 9000 });
  });

  it("shows Cloudflare's certificate on a machine of the operator's own only when it is told to", () => {
    expect(own({ public: true }, proxied).tls).toBe("acme");
    expect(own({ public: true, tls: "origin" }, proxied).tls).toBe("origin");
  });

  it.each([
    [proxied, "origin"],
    [{ ...proxied, proxied: false }, "acme"],
    [undefined, "acme"],
  ] as const)("on a server at Hetzner follows from who stands in front: %j", (dns, tls) => {
    expect(planEdge(server(), { dns })).toEqual({ network: "host", isPublic: true, tls, httpPort: 80, httpsPort: 443, tunnelPort: 8080 });
  });

  it("says the tenant's address as a browser would write it", () => {
    const urlOf = (edge: EdgeInput): string => plannedTenant(plan([tenant()], { settings: settings({ hosts: { laptop: dockerHost({ edge }) } }) })).url;
    expect(urlOf({})).toBe("http://acme.example.com:8080");
    expect(urlOf({ tls: "internal" })).toBe("https://acme.example.com:8443");
    expect(urlOf({ public: true })).toBe("https://acme.example.com");
    expect(urlOf({ public: true, httpsPort: 8443, httpPort: 8000 })).toBe("https://acme.example.com:8443");
    const fleet = plan([tenant({ host: "host-1" })], { settings: hetznerSettings() });
    expect(plannedTenant(fleet).url).toBe("https://acme.example.com");
  });
});

describe("a server's firewall", () => {
  const behind = planEdge(server(), { dns: proxied });
  const open = planEdge(server(), { dns: undefined });
  const everybody = ["0.0.0.0/0", "::/0"];

  it("lets the whole world to the web where nobody stands in front", () => {
    expect(portsOf(server(), open)).toEqual({ ssh: ["203.0.113.7/32"], http: everybody, https: everybody, ping: everybody });
  });

  it("lets only Cloudflare to the web where that stands in front", () => {
    const cloudflare = ["103.21.244.0/22", "173.245.48.0/20", "2400:cb00::/32"];
    expect(portsOf(server(), behind)).toEqual({ ssh: ["203.0.113.7/32"], http: cloudflare, https: cloudflare, ping: everybody });
  });

  it("keeps ssh open in a tailnet until the server is reached there, and then for nobody", () => {
    expect(portsOf(server({ tailscale: {} }), open)["ssh"]).toEqual(["203.0.113.7/32"]);
    expect(portsOf(server({ tailscale: { address: "host-1.example.ts.net" } }), open)).not.toHaveProperty("ssh");
  });

  it("is the same whatever the order of its sources", () => {
    const [one, other] = [
      ["203.0.113.7/32", "2001:db8::/32"],
      ["2001:db8::/32", "203.0.113.7/32"],
    ].map((sshFrom) => planFirewall(server({ sshFrom }), open, []));
    expect(other).toEqual(one);
  });

  it("opens nothing else, and nothing outwards", () => {
    for (const edge of [behind, open]) {
      const rules = planFirewall(server(), edge, account.proxyRanges);
      expect(rules.map(({ direction, protocol, port = "any" }) => `${direction} ${protocol} ${port}`)).toEqual([
        "in tcp 22",
        "in tcp 80",
        "in tcp 443",
        "in icmp any",
      ]);
    }
  });
});

describe("a server's machine", () => {
  it("is known at Hetzner by a name that is a host name, whatever the stack is called", () => {
    const { machine } = plannedHost(plan([], { stack: "prod.eu_1", settings: hetznerSettings() }), "host-1");
    expect(machine?.name).toBe("openclaw-prod-eu-1-host-1");
    expect(machine?.labels).toEqual({ "openclaw-tenants.stack": "prod.eu_1", "openclaw-tenants.role": "host", "openclaw-tenants.host": "host-1" });
  });

  it("is none for a machine of the operator's own", () => {
    expect(plannedHost(plan([tenant()])).machine).toBeUndefined();
  });
});
