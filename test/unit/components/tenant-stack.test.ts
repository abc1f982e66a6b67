import { describe, expect, it } from "vitest";

import { dockerHost, hetznerHost, hetznerSettings, tenant } from "../../support/fleet.ts";
import { recordFleet } from "../../support/record-fleet.ts";
import type { Registered } from "../../support/record.ts";

const globex = tenant({ id: "globex", port: 18802, expose: ["hooks"] });

/** Every resource by type and name, with its inputs and options. */
async function registered(list: readonly unknown[]): Promise<Map<string, Registered>> {
  const { resources } = await recordFleet(list);
  return new Map(resources.map((each) => [`${each.type.split(":").at(-1) ?? ""} ${each.name}`, each]));
}

/** What differs between two fleets, by type and name. */
async function difference(before: readonly unknown[], after: readonly unknown[]): Promise<{ added: string[]; changed: string[]; removed: string[] }> {
  const [left, right] = [await registered(before), await registered(after)];
  return {
    added: [...right.keys()].filter((key) => !left.has(key)).toSorted(),
    changed: [...right.keys()].filter((key) => left.has(key) && JSON.stringify(left.get(key)) !== JSON.stringify(right.get(key))).toSorted(),
    removed: [...left.keys()].filter((key) => !right.has(key)).toSorted(),
  };
}

describe("a fleet", () => {
  it("touches only a new tenant's own resources and the routes of its host when one is added", async () => {
    const { added, changed, removed } = await difference([tenant()], [tenant(), globex]);
    expect(changed).toEqual(["Container laptop-load"]);
    expect(removed).toEqual([]);
    for (const each of added) expect(each).toMatch(/ globex(-|$)/);
    expect(added).toContain("Container globex-gateway");
  });

  it("touches only the changed tenant's config and container when one changes", async () => {
    const { added, changed, removed } = await difference(
      [tenant(), globex],
      [tenant(), { ...globex, size: "small", telegram: undefined, config: { messages: { responsePrefix: "Hi" } } }],
    );
    expect({ added, removed }).toEqual({ added: [], removed: [] });
    expect(changed).toEqual(["Container globex-config", "Container globex-gateway"]);
  });

  it("touches only the config when a running gateway takes the change over", async () => {
    const { changed } = await difference([tenant()], [tenant({ config: { logging: { level: "debug" } } })]);
    expect(changed).toEqual(["Container acme-config"]);
  });

  it("takes away what runs, keeps what is known, and changes routes alone when a tenant is suspended", async () => {
    const { added, changed, removed } = await difference([tenant(), globex], [tenant(), { ...globex, status: "suspended" }]);
    expect(added).toEqual([]);
    expect(changed).toEqual(["Container laptop-load"]);
    expect(removed).toEqual([
      "Container globex-config",
      "Container globex-gateway",
      "Container globex-prepare",
      "Network globex-network",
      "Volume globex-config",
    ]);
  });

  it("has the same resources whatever the order of the list", async () => {
    expect(await difference([tenant(), globex], [globex, tenant()])).toEqual({ added: [], changed: [], removed: [] });
  });

  it("gives every resource a name of its own, whatever its tenants and hosts are called", async () => {
    // Names that begin alike, and names that end like a part of another.
    const ids = ["acme", "acme-a", "acme-aaaa", "acme-token", "host-1", "host-1-edge", "host-1-caddy-image", "test", "test-origin"];
    const hosts = {
      "host-1": hetznerHost({ tailscale: {} }),
      "host-1-data": hetznerHost(),
      "host-1-docker": hetznerHost(),
      test: hetznerHost(),
      "test-origin": dockerHost(),
    } as const;
    const hetzner = { network: { ipRange: "10.20.0.0/24" }, spread: true };
    const dns = { zoneId: "0123456789abcdef".repeat(2), originPulls: true, wildcard: "host-1" };
    const list = ids.map((id, index) => tenant({ id, port: 18801 + index, host: Object.keys(hosts)[index % 5] ?? "", skills: { author: index === 0 } }));
    const { resources } = await recordFleet(list, { settings: hetznerSettings({ hosts, hetzner, dns }) }, { hasTailscaleKey: true });
    const urns = resources.map(({ type, name, options }) => `${options.parent.split("::")[2] ?? ""}$${type}::${name}`);
    expect(urns.length).toBeGreaterThan(200);
    expect(urns.filter((urn, index) => urns.indexOf(urn) !== index)).toEqual([]);
  });

  it("tells operators' commands where every tenant is", async () => {
    const { value } = await recordFleet([tenant(), { ...globex, status: "suspended" }]);
    expect(value.tenants).toEqual({
      acme: { id: "acme", url: "http://acme.example.com:8080", host: "laptop", port: 18801, container: "openclaw-test-acme", status: "active" },
      globex: { id: "globex", url: "http://globex.example.com:8080", host: "laptop", port: 18802, container: "openclaw-test-globex", status: "suspended" },
    });
  });
});
