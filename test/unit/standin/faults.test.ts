import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import type { AccountOptions } from "../../standin/account.ts";
import { cloudflare } from "../../standin/cloudflare.ts";
import { cloudflareDialect } from "../../standin/cloudflare/errors.ts";
import { ZONE } from "../../standin/cloudflare/zones.ts";
import { planFaults } from "../../standin/faults.ts";
import { hcloud } from "../../standin/hcloud.ts";
import { hcloudDialect } from "../../standin/hcloud/errors.ts";
import { type Cloud, newCloud } from "./cloud.ts";

const STANDIN = join(import.meta.dirname, "..", "..", "standin");
const SERVER = { name: "oc-1", serverType: "cx33", image: "ubuntu-24.04", location: "fsn1" };
const RECORD = { zoneId: ZONE.id, name: "acme.example.com", type: "A", content: "203.0.113.1", ttl: 1 };

function newHetzner(options: AccountOptions = {}): Cloud {
  return newCloud(hcloudDialect, hcloud, options);
}

function newCloudflare(): Cloud {
  return newCloud(cloudflareDialect, cloudflare);
}

describe("a fault that a test plans", () => {
  it("strikes as often as it says, the kind of call that it says, and nothing else", async () => {
    const cloud = newHetzner();
    planFaults(cloud.world, [{ api: "hcloud", on: "create", type: "Server", name: "oc-1", times: 2, fault: { kind: "status", status: 503 } }]);
    await expect(cloud.make("Firewall", { name: "oc-1" })).resolves.toBeDefined();
    await expect(cloud.make("Server", { ...SERVER, name: "oc-2" })).resolves.toBeDefined();
    for (const attempt of [1, 2])
      await expect(cloud.make("Server", SERVER), `attempt ${attempt}`).rejects.toThrow(/^the service is currently unavailable \(unavailable, [0-9a-f]{16}\)$/);
    const server = await cloud.make("Server", SERVER);
    await expect(cloud.read("Server", server.id, server.outputs)).resolves.toBeDefined();
    expect(cloud.calls()).toEqual([
      "create Firewall oc-1",
      "create Server oc-2",
      "create Server oc-1 failed",
      "create Server oc-1 failed",
      "create Server oc-1",
      "read Server oc-1",
    ]);
  });

  it.each([
    ["sold-out", "error during placement (resource_unavailable"],
    ["limit", "server limit exceeded (resource_limit_exceeded"],
    ["name-taken", "server name is already used (uniqueness_error"],
  ] as const)("speaks as Hetzner does: %s", async (kind, words) => {
    const cloud = newHetzner();
    planFaults(cloud.world, [{ api: "hcloud", on: "create", type: "Server", fault: { kind } }]);
    await expect(cloud.make("Server", SERVER)).rejects.toThrow(words);
    expect(cloud.records().items).toEqual({});
  });

  it("strikes changes, deletions, reads and functions as well", async () => {
    const cloud = newHetzner();
    const firewall = await cloud.make("Firewall", { name: "fw" });
    const fault = { kind: "status", status: 500 } as const;
    planFaults(cloud.world, [
      { api: "hcloud", on: "update", type: "Firewall", fault },
      { api: "hcloud", on: "delete", type: "Firewall", fault },
      { api: "hcloud", on: "read", type: "Firewall", fault },
      { api: "hcloud", on: "invoke", type: "getServers", fault },
      { api: "cloudflare", on: "invoke", type: "getFirewalls", fault },
    ]);
    const words = "internal server error (server_error";
    await expect(cloud.change("Firewall", firewall, { labels: { a: "b" } })).rejects.toThrow(words);
    expect(cloud.records().items[firewall.id]?.labels).toEqual({});
    await expect(cloud.remove("Firewall", firewall)).rejects.toThrow(words);
    await expect(cloud.read("Firewall", firewall.id, firewall.outputs)).rejects.toThrow(words);
    await expect(cloud.invoke("getServers")).rejects.toThrow(words);
    expect((await cloud.invoke("getFirewalls"))["firewalls"]).toHaveLength(1);
  });

  it("must be one that there is", () => {
    const { world } = newHetzner();
    expect(() => {
      planFaults(world, [{ api: "hcloud", on: "create", type: "Server", fault: { kind: "status", status: 404 } }]);
    }).toThrow("status");
  });
});

describe("a plug-in that is told to wait", () => {
  it("waits and tries again, five times at Hetzner's", async () => {
    const cloud = newHetzner();
    const limit = { api: "hcloud", on: "create", type: "Firewall", fault: { kind: "rate-limit", retryAfterSeconds: 0.2 } } as const;
    planFaults(cloud.world, [limit]);
    const before = performance.now();
    await cloud.make("Firewall", { name: "fw" });
    expect(performance.now() - before).toBeGreaterThan(190);
    planFaults(cloud.world, [{ ...limit, times: 6, fault: { ...limit.fault, retryAfterSeconds: 0 } }]);
    await expect(cloud.make("Firewall", { name: "other" })).rejects.toThrow("limit of 3600 requests per hour reached (rate_limit_exceeded");
    expect(cloud.calls().filter((call) => call === "create Firewall other failed")).toHaveLength(6);
  });

  it("tries again twice at Cloudflare's, and after any failure of the server's", async () => {
    const cloud = newCloudflare();
    const failure = { api: "cloudflare", on: "create", type: "DnsRecord", fault: { kind: "status", status: 503 } } as const;
    planFaults(cloud.world, [{ ...failure, times: 2 }]);
    await cloud.make("DnsRecord", RECORD);
    planFaults(cloud.world, [{ ...failure, times: 3 }]);
    await expect(cloud.make("DnsRecord", { ...RECORD, name: "globex.example.com" })).rejects.toThrow("503 Service Unavailable");
    await cloud.make("DnsRecord", { ...RECORD, name: "globex.example.com" });
  });

  it("does not at Hetzner's when the service is unavailable, but does when its gateway is", async () => {
    const cloud = newHetzner();
    planFaults(cloud.world, [{ api: "hcloud", on: "create", type: "Firewall", times: 2, fault: { kind: "status", status: 502 } }]);
    await cloud.make("Firewall", { name: "fw" });
    expect(cloud.calls()).toEqual(["create Firewall fw failed", "create Firewall fw failed", "create Firewall fw"]);
  });
});

describe("an answer that does not come", () => {
  it("is waited for until the time is up, and nothing was made", async () => {
    const cloud = newHetzner();
    planFaults(cloud.world, [{ api: "hcloud", on: "create", type: "Server", fault: { kind: "hang" } }]);
    await expect(cloud.make("Server", SERVER, { signal: AbortSignal.timeout(50) })).rejects.toThrow("context deadline exceeded");
    expect(cloud.records().items).toEqual({});
    await expect(cloud.make("Server", SERVER)).resolves.toBeDefined();
  });

  it("may leave something made, whose name is taken from then on", async () => {
    const cloud = newHetzner();
    planFaults(cloud.world, [{ api: "hcloud", on: "create", type: "Server", fault: { kind: "hang-after" } }]);
    await expect(cloud.make("Server", SERVER, { signal: AbortSignal.timeout(50) })).rejects.toThrow("context deadline exceeded");
    expect((await cloud.invoke("getServers"))["servers"]).toMatchObject([{ name: "oc-1" }]);
    await expect(cloud.make("Server", SERVER)).rejects.toThrow("server name is already used");
  });

  it("may be a plug-in's that died once the thing was made", async () => {
    const whenItDied: string[] = [];
    const cloud = newHetzner({ die: () => whenItDied.push(...cloud.calls()) });
    planFaults(cloud.world, [{ api: "hcloud", on: "create", type: "Server", fault: { kind: "crash-after" } }]);
    await cloud.make("Server", SERVER);
    expect(whenItDied).toEqual(["create Server oc-1"]);
  });
});

describe("a world that several plug-ins share", () => {
  it("forgets nothing, and gives no number out twice", async () => {
    const cloud = newHetzner();
    planFaults(cloud.world, [{ api: "hcloud", on: "create", type: "Firewall", times: 5, fault: { kind: "rate-limit", retryAfterSeconds: 0 } }]);
    const program = `
      import { Account } from ${JSON.stringify(join(STANDIN, "account.ts"))};
      import { hcloudDialect } from ${JSON.stringify(join(STANDIN, "hcloud", "errors.ts"))};
      import { firewall } from ${JSON.stringify(join(STANDIN, "hcloud", "firewall.ts"))};
      const [world, prefix] = process.argv.slice(1);
      const account = new Account(hcloudDialect, world);
      account.token = "x";
      const { signal } = new AbortController();
      await Promise.all(Array.from({ length: 15 }, (_, index) => firewall(account).create({ name: prefix + index }, { signal })));`;
    const run = (prefix: string) => promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program, cloud.world, prefix]);
    await Promise.all([run("a"), run("b")]);
    const { items, log } = cloud.records();
    expect(Object.keys(items)).toHaveLength(30);
    expect(new Set(Object.values(items).map(({ name }) => name)).size).toBe(30);
    expect(log.filter(({ error }) => error !== undefined)).toHaveLength(5);
  });
});
