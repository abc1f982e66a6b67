import { describe, expect, it } from "vitest";

import { compareVersions, parseImage } from "../../lib/image.ts";
import { findSubnet, overlaps, parseCidr } from "../../plan/subnet.ts";
import { plan, plannedHost, plannedTenant, settings, tenant, tenantsOf } from "../support/fleet.ts";

describe("a plan", () => {
  it("is complete for the shortest entry", () => {
    expect(plannedTenant(plan([tenant()]))).toMatchObject({
      hostname: "acme.example.com",
      url: "http://acme.example.com:8080",
      limits: { memoryMb: 2048, cpus: 2, pids: 256, heapMb: 768 },
      port: 18801,
      webhookPort: undefined,
      subnet: "10.214.0.0/28",
      gatewayIp: "10.214.0.1",
      status: "active",
      secrets: [],
      authored: "none",
      names: { container: "openclaw-test-acme", stateVolume: "openclaw-test-acme.state" },
    });
  });

  it("takes the size's figures, the entry's own on top, and never more CPUs than there are", () => {
    const limitsOf = (over: object): unknown =>
      plannedTenant(plan([tenant(over)], { settings: settings({ hosts: { laptop: { kind: "docker", memoryMb: 16_384, cpus: 2 } } }) })).limits;
    expect(limitsOf({ size: "small" })).toEqual({ memoryMb: 1536, cpus: 1, pids: 256, heapMb: 512 });
    expect(limitsOf({ size: "large" })).toEqual({ memoryMb: 4096, cpus: 2, pids: 512, heapMb: 2048 });
    expect(limitsOf({ size: "large", limits: { memoryMb: 2048, pids: 300 } })).toEqual({ memoryMb: 2048, cpus: 2, pids: 300, heapMb: 1280 });
  });

  it("counts suspended tenants out of their host's memory", () => {
    const tight = settings({ hosts: { laptop: { kind: "docker", memoryMb: 3072, cpus: 2 } } });
    const list = [tenant(), tenant({ id: "globex", port: 18802, status: "suspended" })];
    expect(tenantsOf(plan(list, { settings: tight }))).toHaveLength(2);
  });

  it("remembers where removed tenants left their data, until they come back", () => {
    const past = { tenants: { acme: "laptop", globex: "server" }, retained: { initech: "laptop" } };
    expect(plan([tenant()], { past }).retained).toEqual({ globex: "server", initech: "laptop" });
    expect(plan([tenant(), tenant({ id: "initech", port: 18802, adopt: true })], { past }).retained).toEqual({ globex: "server" });
  });

  it("names every image of a host once", () => {
    const image = `openclaw/openclaw:2026.9.7@sha256:${"d".repeat(64)}`;
    const { images } = plannedHost(plan([tenant(), tenant({ id: "globex", port: 18802 }), tenant({ id: "initech", port: 18803, image })]));
    expect(images).toHaveLength(2);
    expect(images).toContain(image);
  });

  it("takes files for a tenant by the name of what every object has for nothing", () => {
    expect(plannedTenant(plan([tenant({ id: "constructor" })]), "constructor").seed).toEqual([]);
  });
});

describe("an image reference", () => {
  it.each([
    ["openclaw/openclaw:2026.9.6@sha256:" + "0".repeat(64), { repository: "openclaw/openclaw", version: "2026.9.6", isPinned: true, isBuilt: false }],
    ["reg.example.com:5000/claw:v2026.9.6-slim", { repository: "reg.example.com:5000/claw", version: "2026.9.6", isPinned: false, isBuilt: false }],
    ["reg.example.com:5000/claw", { repository: "reg.example.com:5000/claw", version: undefined, isPinned: false, isBuilt: false }],
    ["openclaw-tenants/openclaw:2026.9.6-built-0123abcd", { repository: "openclaw-tenants/openclaw", version: "2026.9.6", isPinned: true, isBuilt: true }],
    ["evil/openclaw:2026.9.6-built-0123abcd", { repository: "evil/openclaw", version: "2026.9.6", isPinned: false, isBuilt: false }],
  ])("is read as it is meant: %s", (reference, parsed) => {
    expect(parseImage(reference)).toEqual(parsed);
  });

  it("compares versions as numbers, not as text", () => {
    expect(compareVersions("2026.10.1", "2026.9.6")).toBeGreaterThan(0);
    expect(compareVersions("2026.3.12", "2026.3.12")).toBe(0);
    expect(compareVersions("2026.3.9", "2026.3.12")).toBeLessThan(0);
  });
});

describe("a subnet", () => {
  it("follows from the port: the first at the pool's start, the last inside it", () => {
    expect(findSubnet("10.214.0.0/17", 18801)).toEqual({ subnet: "10.214.0.0/28", gatewayIp: "10.214.0.1" });
    expect(findSubnet("10.214.0.0/17", 20000)).toEqual({ subnet: "10.214.74.240/28", gatewayIp: "10.214.74.241" });
    expect(findSubnet("10.214.0.0/24", 18816)).toEqual({ subnet: "10.214.0.240/28", gatewayIp: "10.214.0.241" });
    expect(findSubnet("10.214.0.0/24", 18817)).toBeUndefined();
    expect(findSubnet("10.214.0.0/30", 18801)).toBeUndefined();
  });

  it("overlaps another when they share an address, whichever is larger", () => {
    expect(overlaps("10.0.0.0/8", "10.214.0.0/17")).toBe(true);
    expect(overlaps("10.214.0.0/17", "10.0.0.0/8")).toBe(true);
    expect(overlaps("10.214.0.0/17", "10.214.128.0/17")).toBe(false);
  });

  it("covers the whole range of addresses", () => {
    expect(parseCidr("255.255.255.255/32")).toEqual({ first: 2 ** 32 - 1, last: 2 ** 32 - 1, prefix: 32 });
    for (const wrong of ["256.0.0.0/8", "10.0.0.0/33", "10.0.0/8", "fd00::/8", "10.0.0.0"]) expect(() => parseCidr(wrong)).toThrow(RangeError);
  });
});
