import { describe, expect, it } from "vitest";

import { dockerHost, hetznerHost, hetznerSettings, tenant } from "../../support/fleet.ts";
import { recordFleet } from "../../support/record-fleet.ts";
import type { Registered } from "../../support/record.ts";

const zoneId = "0123456789abcdef".repeat(2);
const hosts = {
  "host-1": hetznerHost(),
  "host-2": hetznerHost({ location: "nbg1" }),
  laptop: dockerHost(),
} as const;

/** Records of such a fleet by name of the resource. */
async function recordsOf(dns: NonNullable<Parameters<typeof hetznerSettings>[0]>["dns"], list: readonly unknown[]): Promise<Record<string, Registered>> {
  const { resources } = await recordFleet(list, { settings: hetznerSettings({ hosts, ...(dns === undefined ? {} : { dns }) }) });
  return Object.fromEntries(resources.filter(({ type }) => type.endsWith(":DnsRecord")).map((each) => [each.name, each]));
}

describe("names at Cloudflare", () => {
  it("lead to the tenant's host, for IPv4 and IPv6, and say whose they are", async () => {
    const records = await recordsOf({ zoneId }, [tenant({ host: "host-2" })]);
    const both = { zoneId, name: "acme.example.com", proxied: true, ttl: 1, comment: "openclaw-tenants: tenant acme of stack test" };
    expect(Object.fromEntries(Object.entries(records).map(([name, { inputs }]) => [name, inputs]))).toEqual({
      "acme-a": { ...both, type: "A", content: "ipv4 of host-2-ipv4" },
      "acme-aaaa": { ...both, type: "AAAA", content: "ipv6 of host-2-ipv6::1" },
    });
  });

  it("may be kept for five minutes where Cloudflare does not stand in front", async () => {
    const records = await recordsOf({ zoneId, proxied: false }, [tenant({ host: "host-1" })]);
    for (const type of ["a", "aaaa"]) expect(records[`acme-${type}`]?.inputs).toMatchObject({ proxied: false, ttl: 300 });
  });

  it("stay while a tenant is suspended", async () => {
    const list = [tenant({ host: "host-1" })];
    const suspended = await recordsOf({ zoneId }, [{ ...list[0], status: "suspended" }]);
    expect(suspended).toEqual(await recordsOf({ zoneId }, list));
  });

  it("are not made for a host whose address is the operator's own affair", async () => {
    expect(await recordsOf({ zoneId }, [tenant({ host: "laptop" })])).toEqual({});
  });

  it("that nobody has lead to the host that answers for them, where there is one", async () => {
    const records = await recordsOf({ zoneId, wildcard: "host-1" }, []);
    expect(Object.values(records).map(({ inputs }) => inputs)).toEqual([
      expect.objectContaining({ name: "*.example.com", content: "ipv4 of host-1-ipv4", comment: "openclaw-tenants: every other name of stack test" }),
      expect.objectContaining({ name: "*.example.com", content: "ipv6 of host-1-ipv6::1" }),
    ]);
  });

  it("wait for no container and no server, only for an address", async () => {
    const records = await recordsOf({ zoneId }, [tenant({ host: "host-1" })]);
    expect(Object.values(records)).toHaveLength(2);
    for (const { name, options } of Object.values(records)) {
      expect(options.dependencies, name).toEqual([expect.stringMatching(/PrimaryIp::host-1-ipv[46]$/)]);
      // They are no server's: a rebuilt one has the same addresses.
      expect([options.deletedWith, options.replaceWith]).toEqual(["", []]);
    }
  });
});
