import { execFileSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { cloudflare } from "../../standin/cloudflare.ts";
import { cloudflareDialect } from "../../standin/cloudflare/errors.ts";
import { ORIGIN_CA_FILE, signForOrigin } from "../../standin/cloudflare/origin-ca.ts";
import { ZONE } from "../../standin/cloudflare/zones.ts";
import { type Props, UNKNOWN } from "../../standin/provider.ts";
import { writeJson } from "../../standin/world.ts";
import { type Cloud, newCloud } from "./cloud.ts";

const zoneId = ZONE.id;
const RECORD = { zoneId, name: "acme.example.com", type: "A", content: "203.0.113.1", ttl: 1, proxied: true, comment: "acme" };
const CERTIFICATE = { hostnames: ["acme.example.com", "*.example.com"], requestType: "origin-ecc", requestedValidity: 90 };

function newCloudflare(): Cloud {
  return newCloud(cloudflareDialect, cloudflare);
}

function newKey(type: "ec" | "rsa" = "ec"): string {
  const pair = type === "ec" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function newRequest(key = newKey()): string {
  const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-request-"));
  onTestFinished(() => {
    rmSync(dir, { recursive: true });
  });
  writeFileSync(join(dir, "key.pem"), key);
  const args = ["req", "-new", "-batch", "-subj", "/CN=acme.example.com", "-addext", "subjectAltName=DNS:ignored.example.org"];
  return execFileSync("openssl", [...args, "-key", join(dir, "key.pem")], { encoding: "utf8" });
}

describe("inputs of Cloudflare's things", () => {
  it.each([
    ["DnsRecord", { ...RECORD, host: "acme" }, ': Unrecognized key: "host"'],
    ["DnsRecord", { ...RECORD, ttl: undefined }, "ttl: Invalid input: expected number, received undefined"],
    ["DnsRecord", { ...RECORD, zoneId: "example.com" }, "zoneId: must be 32 hexadecimal digits"],
    ["DnsRecord", { ...RECORD, tags: ["a"] }, "tags: tags need a paid plan"],
    ["ZoneSetting", { zoneId, settingId: "ssl", value: "strict", enabled: true }, "enabled: the stand-in has no such setting"],
    [
      "OriginCaCertificate",
      { ...CERTIFICATE, csr: "x", requestedValidity: 60 },
      "requestedValidity: Invalid option: expected one of 7|30|90|365|730|1095|5475",
    ],
    ["AuthenticatedOriginPullsSettings", { zoneId }, "enabled: Invalid input: expected boolean, received undefined"],
    ["AuthenticatedOriginPullsCertificate", { zoneId, certificate: "x" }, "privateKey: Invalid input: expected string, received undefined"],
  ])("refuse a bad %s before anything is made: %j", (name, inputs, mistake) => {
    expect(newCloudflare().mistakes(name, inputs)).toEqual([mistake]);
  });

  it("may be unknown until they are made", () => {
    expect(newCloudflare().mistakes("DnsRecord", { ...RECORD, content: UNKNOWN })).toEqual([]);
    expect(newCloudflare().mistakes("OriginCaCertificate", { ...CERTIFICATE, csr: UNKNOWN, hostnames: [UNKNOWN] })).toEqual([]);
  });

  it("replace what cannot change", () => {
    const cloud = newCloudflare();
    expect(cloud.kind("DnsRecord").replace).toEqual(["zoneId", "type"]);
    // Whatever changes.
    expect(cloud.kind("OriginCaCertificate")).not.toHaveProperty("update");
    expect(cloud.kind("AuthenticatedOriginPullsCertificate").replace).toEqual(["zoneId", "certificate"]);
  });
});

describe("a record at Cloudflare", () => {
  it("is read as it was made, changes in place, and goes", async () => {
    const cloud = newCloudflare();
    const record = await cloud.make("DnsRecord", RECORD);
    expect(record.id).toMatch(/^[0-9a-f]{32}$/);
    expect(await cloud.read("DnsRecord", record.id, record.outputs)).toEqual({ inputs: RECORD, outputs: record.outputs });
    const moved = await cloud.change("DnsRecord", record, { content: "203.0.113.2" });
    expect(moved.outputs).toMatchObject({ content: "203.0.113.2", createdOn: record.outputs["createdOn"] });
    expect((await cloud.read("DnsRecord", record.id, moved.outputs))?.inputs["content"]).toBe("203.0.113.2");
    await cloud.remove("DnsRecord", moved);
    expect(await cloud.read("DnsRecord", record.id, moved.outputs)).toBeUndefined();
    await expect(cloud.remove("DnsRecord", moved)).rejects.toThrow('404 Not Found {"result":null,"success":false,"errors":[{"code":81044');
  });

  it.each([
    [{ name: "acme" }, 'DNS name "acme" is not the full name that the API will tell; write "acme.example.com"'],
    [{ name: "acme.example.org" }, "is not the full name"],
    [{ name: "Acme.example.com" }, 'write "acme.example.com.example.com"'],
    [{ ttl: 300 }, "ttl must be set to 1 when `proxied` is true"],
    [{ ttl: 30, proxied: false }, '{"code":9021,"message":"TTL must be between 60 and 86400 seconds, or 1 for Automatic."}'],
    [{ content: "2001:db8::1" }, '{"code":9005,"message":"Content for A record must be a valid IPv4 address."}'],
    [{ type: "AAAA" }, '{"code":9006,"message":"Content for AAAA record must be a valid IPv6 address."}'],
    [{ type: "TXT" }, '{"code":9004,"message":"This record type cannot be proxied."}'],
    [{ comment: "c".repeat(101) }, '"code":9300'],
    [{ zoneId: "0".repeat(32) }, '"code":7003,"message":"Could not route to /client/v4/zones/'],
  ])("is refused with %j", async (over, message) => {
    const cloud = newCloudflare();
    await expect(cloud.make("DnsRecord", { ...RECORD, ...over })).rejects.toThrow(message);
    expect(cloud.records().items).toEqual({});
  });

  it("is refused when it is there already, or when a CNAME has its name", async () => {
    const cloud = newCloudflare();
    const first = await cloud.make("DnsRecord", RECORD);
    await expect(cloud.make("DnsRecord", RECORD)).rejects.toThrow(
      `POST "https://api.cloudflare.com/client/v4/zones/${zoneId}/dns_records": 400 Bad Request {"result":null,"success":false,"errors":[{"code":81058,"message":"An identical record already exists."}],"messages":[]}`,
    );
    const second = await cloud.make("DnsRecord", { ...RECORD, content: "203.0.113.2" });
    await cloud.make("DnsRecord", { ...RECORD, type: "AAAA", content: "2001:db8::1" });
    await expect(cloud.change("DnsRecord", second, { content: "203.0.113.1" })).rejects.toThrow("81058");
    await expect(cloud.change("DnsRecord", first, { comment: "the same record" })).resolves.toBeDefined();
    await expect(cloud.make("DnsRecord", { ...RECORD, type: "CNAME", content: "example.com" })).rejects.toThrow('"code":81053');
    await cloud.make("DnsRecord", { ...RECORD, name: "www.example.com", type: "CNAME", content: "example.com" });
    await expect(cloud.make("DnsRecord", { ...RECORD, name: "www.example.com" })).rejects.toThrow('"code":81053');
  });

  it("is imported by its zone's id and its own", async () => {
    const cloud = newCloudflare();
    const { id } = await cloud.make("DnsRecord", RECORD);
    expect((await cloud.read("DnsRecord", `${zoneId}/${id}`))?.inputs).toEqual(RECORD);
    await expect(async () => await cloud.read("DnsRecord", id)).rejects.toThrow('expected urlencoded segments "<zone_id>/<dns_record_id>"');
  });
});

describe("a zone's settings", () => {
  it("are changed by being made, and stay when they are taken away", async () => {
    const cloud = newCloudflare();
    const setting = await cloud.make("ZoneSetting", { zoneId, settingId: "ssl", value: "strict" });
    expect(setting.id).toBe("ssl");
    await cloud.remove("ZoneSetting", setting);
    expect((await cloud.read("ZoneSetting", `${zoneId}/ssl`))?.inputs).toEqual({ zoneId, settingId: "ssl", value: "strict" });
    expect((await cloud.change("ZoneSetting", setting, { value: "full" })).outputs["value"]).toBe("full");
    expect((await cloud.read("ZoneSetting", "websockets", { zoneId, settingId: "websockets" }))?.inputs["value"]).toBe("on");
    await expect(cloud.make("ZoneSetting", { zoneId, settingId: "ssl", value: "very" })).rejects.toThrow('"code":1007');
    await expect(cloud.make("ZoneSetting", { zoneId, settingId: "sll", value: "full" })).rejects.toThrow('"code":7003');
  });

  it("have origin pulls on or off", async () => {
    const cloud = newCloudflare();
    const settings = await cloud.make("AuthenticatedOriginPullsSettings", { zoneId, enabled: true });
    await cloud.remove("AuthenticatedOriginPullsSettings", settings);
    expect((await cloud.read("AuthenticatedOriginPullsSettings", zoneId, settings.outputs))?.inputs).toEqual({ zoneId, enabled: true });
    await cloud.change("AuthenticatedOriginPullsSettings", settings, { enabled: false });
    expect((await cloud.read("AuthenticatedOriginPullsSettings", zoneId))?.outputs["enabled"]).toBe(false);
  });
});

describe("an origin certificate", () => {
  it("is signed by the world's own authority for the names that were asked for", async () => {
    const cloud = newCloudflare();
    const inputs = { ...CERTIFICATE, csr: newRequest() };
    const made = await cloud.make("OriginCaCertificate", inputs);
    const certificate = new X509Certificate(String(made.outputs["certificate"]));
    const authority = new X509Certificate(readFileSync(join(cloud.world, ORIGIN_CA_FILE)));
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.subjectAltName).toBe("DNS:acme.example.com, DNS:*.example.com");
    expect(Math.round((certificate.validToDate.getTime() - Date.now()) / 86_400_000)).toBe(90);
    expect(made.outputs["expiresOn"]).toBe(certificate.validToDate.toISOString());
    expect(await cloud.read("OriginCaCertificate", made.id, made.outputs)).toEqual({ inputs, outputs: made.outputs });
    expect((await cloud.invoke("getOriginCaCertificate", { certificateId: made.id }))["certificate"]).toBe(made.outputs["certificate"]);
    await cloud.remove("OriginCaCertificate", made);
    expect(await cloud.read("OriginCaCertificate", made.id, made.outputs)).toBeUndefined();
  });

  it("is refused for another's names, and for a key of another kind", async () => {
    const cloud = newCloudflare();
    const csr = newRequest();
    await expect(cloud.make("OriginCaCertificate", { ...CERTIFICATE, csr, hostnames: ["example.org"] })).rejects.toThrow(
      "Failed to validate requested hostname example.org",
    );
    await expect(cloud.make("OriginCaCertificate", { ...CERTIFICATE, csr, requestType: "origin-rsa" })).rejects.toThrow("CSR is not a valid one");
    await expect(cloud.make("OriginCaCertificate", { ...CERTIFICATE, csr: "no request" })).rejects.toThrow("CSR is not a valid one");
    await expect(cloud.make("OriginCaCertificate", { ...CERTIFICATE, csr: newRequest(newKey("rsa")), requestType: "origin-rsa" })).resolves.toBeDefined();
  });

  it("of a caller must fit its key, which is never told again", async () => {
    const cloud = newCloudflare();
    const key = newKey();
    const certificate = signForOrigin(cloud.world, { csr: newRequest(key), hostnames: ["example.com"], days: 7 }).toString();
    await expect(cloud.make("AuthenticatedOriginPullsCertificate", { zoneId, certificate, privateKey: newKey() })).rejects.toThrow('"code":1413');
    const made = await cloud.make("AuthenticatedOriginPullsCertificate", { zoneId, certificate, privateKey: key });
    expect(made.outputs).toMatchObject({ certificateId: made.id, status: "active" });
    expect(JSON.stringify(cloud.records())).not.toContain("PRIVATE KEY");
    expect(await cloud.read("AuthenticatedOriginPullsCertificate", made.id, made.outputs)).toEqual({ inputs: made.inputs, outputs: made.outputs });
    expect((await cloud.read("AuthenticatedOriginPullsCertificate", `${zoneId}/${made.id}`))?.inputs).toEqual({ zoneId, certificate });
    await cloud.remove("AuthenticatedOriginPullsCertificate", made);
    expect(cloud.records().items).toEqual({});
  });
});

describe("what Cloudflare tells", () => {
  it("is where it calls from, even without a token", async () => {
    const cloud = newCloudflare();
    cloud.account.token = undefined;
    const ranges = await cloud.invoke("getIpRanges");
    expect(ranges["ipv4Cidrs"]).toHaveLength(15);
    expect(ranges["ipv6Cidrs"]).toHaveLength(7);
    writeJson(cloud.world, "ip-ranges.json", { ipv4Cidrs: ["198.51.100.0/24"], ipv6Cidrs: [] });
    expect((await cloud.invoke("getIpRanges"))["ipv4Cidrs"]).toEqual(["198.51.100.0/24"]);
  });

  it("is the account's zones and records", async () => {
    const cloud = newCloudflare();
    expect((await cloud.invoke("getZone", { filter: { name: "example.com", match: "all" } }))["zoneId"]).toBe(zoneId);
    await expect(cloud.invoke("getZone", { filter: { name: "example.org" } })).rejects.toThrow("7003");
    writeJson(cloud.world, "zones.json", [ZONE, { id: "1".repeat(32), name: "example.org" }]);
    expect((await cloud.invoke("getZone", { zoneId: "1".repeat(32) }))["name"]).toBe("example.org");
    for (const name of ["acme", "globex"]) await cloud.make("DnsRecord", { ...RECORD, name: `${name}.example.com`, comment: `${name} of prod` });
    const namesOf = async (args: Props) => ((await cloud.invoke("getDnsRecords", { zoneId, ...args }))["results"] as Props[]).map(({ name }) => name);
    expect(await namesOf({})).toEqual(["acme.example.com", "globex.example.com"]);
    expect(await namesOf({ name: { exact: "acme.example.com" } })).toEqual(["acme.example.com"]);
    expect(await namesOf({ comment: { startswith: "globex" } })).toEqual(["globex.example.com"]);
    expect(await namesOf({ type: "AAAA" })).toEqual([]);
    await expect(cloud.invoke("getDnsRecords", { zoneId, nam: "acme" })).rejects.toThrow("nam");
  });

  it("depends on the token", async () => {
    const cloud = newCloudflare();
    const record = await cloud.make("DnsRecord", RECORD);
    cloud.account.token = "ro-token";
    await expect(cloud.read("DnsRecord", record.id, record.outputs)).resolves.toBeDefined();
    await expect(cloud.remove("DnsRecord", record)).rejects.toThrow(
      '403 Forbidden {"result":null,"success":false,"errors":[{"code":10000,"message":"Authentication error"}]',
    );
    cloud.account.token = "bad-token";
    await expect(cloud.read("DnsRecord", record.id, record.outputs)).rejects.toThrow("Invalid access token");
    cloud.account.token = undefined;
    await expect(cloud.invoke("getDnsRecords", { zoneId })).rejects.toThrow("Missing X-Auth-Key, X-Auth-Email or Authorization headers");
  });
});
