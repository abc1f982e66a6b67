import { describe, expect, it } from "vitest";

import { hetznerSettings, plan, tenant } from "../../support/fleet.ts";
import { recordFleet } from "../../support/record-fleet.ts";
import { findResource, privatePartOf, type Recorded, type RecordOptions, valueOf } from "../../support/record.ts";

const zoneId = "0123456789abcdef".repeat(2);
const list = [tenant({ host: "host-1" })];

async function recordWith(dns: Parameters<typeof hetznerSettings>[0], options?: RecordOptions): Promise<Recorded<unknown>> {
  return await recordFleet(list, { settings: hetznerSettings(dns) }, options);
}

const proxied = {};
const pulls = { dns: { zoneId, originPulls: true } };

interface Upload {
  file: string;
  content: string;
  permissions: string;
}

describe("the origin certificate", () => {
  it("is Cloudflare's, for every name of the domain, over a key that only the state and the edge know", async () => {
    const { resources } = await recordWith(proxied);
    expect(findResource(resources, "PrivateKey", "test-origin-key").inputs).toMatchObject({ algorithm: "ECDSA", ecdsaCurve: "P256" });
    expect(findResource(resources, "CertRequest", "test-origin-request").inputs).toMatchObject({ dnsNames: ["*.example.com", "example.com"] });
    expect(findResource(resources, "OriginCaCertificate", "test-origin").inputs).toEqual({
      csr: "request of test-origin-request",
      hostnames: ["*.example.com", "example.com"],
      requestType: "origin-ecc",
      requestedValidity: 5475,
    });
    for (const { type, name, sealed } of resources) expect(JSON.stringify(sealed), `${type} ${name}`).not.toContain(privatePartOf("test-origin-key"));
  });

  it("is what Cloudflare asks for from then on", async () => {
    const { resources } = await recordWith(proxied);
    expect(findResource(resources, "ZoneSetting", "test-origin-strict").inputs).toEqual({ zoneId, settingId: "ssl", value: "strict" });
  });

  it("tells when it ends", async () => {
    const { value } = await recordFleet(list, { settings: hetznerSettings() });
    expect(await valueOf(value.certificates)).toEqual({ origin: "2041-11-26" });
  });

  it("is not there where Cloudflare does not stand in front", async () => {
    for (const dns of [undefined, { zoneId, proxied: false }]) {
      const settings = dns === undefined ? { ...hetznerSettings(), dns: undefined } : hetznerSettings({ dns });
      expect(plan(list, { settings }).origin).toBeUndefined();
      const { value, resources } = await recordFleet(list, { settings });
      expect(resources.filter(({ type }) => /ertificate|ZoneSetting|CertRequest/.test(type))).toEqual([]);
      expect(findResource(resources, "Container", "host-1-edge").inputs["volumes"]).not.toContainEqual(
        expect.objectContaining({ containerPath: "/certificates" }),
      );
      expect(value.certificates).toEqual({});
    }
  });
});

describe("an edge behind Cloudflare", () => {
  it("gets certificate and key as files that are secret, from a container that never runs", async () => {
    const { resources } = await recordWith(proxied);
    const { inputs, sealed, options } = findResource(resources, "Container", "host-1-certificates");
    expect(inputs).toMatchObject({
      start: false,
      mustRun: false,
      networkMode: "none",
      volumes: [{ volumeName: "openclaw-test.host-1.certificates", containerPath: "/certificates" }],
    });
    expect((inputs["uploads"] as Upload[]).map(({ file, permissions }) => [file, permissions])).toEqual([
      ["/certificates/origin.pem", "0600"],
      ["/certificates/origin.key", "0600"],
    ]);
    expect((inputs["uploads"] as Upload[]).map(({ content }) => content)).toEqual([
      "certificate of test-origin",
      expect.stringContaining(privatePartOf("test-origin-key")),
    ]);
    expect(JSON.stringify(sealed)).toContain('"[secret]"');
    expect(options.additionalSecretOutputs).toContain("uploads");
    expect(findResource(resources, "Container", "host-1-edge").inputs["volumes"]).toContainEqual({
      volumeName: "openclaw-test.host-1.certificates",
      containerPath: "/certificates",
      readOnly: true,
    });
  });

  it("loads its routes again for a new certificate, and is not replaced itself", async () => {
    const before = await recordWith(proxied);
    const after = await recordWith(proxied, {
      over: { "cloudflare:index/originCaCertificate:OriginCaCertificate": () => ({ certificate: "another", expiresOn: "2042-01-01" }) },
    });
    const labelOf = ({ resources }: Recorded<unknown>): string | undefined =>
      (findResource(resources, "Container", "host-1-load").inputs["labels"] as { label: string; value: string }[]).find(
        ({ label }) => label === "openclaw-tenants.certificates",
      )?.value;
    expect(labelOf(before)).toMatch(/^[0-9a-f]{12}$/);
    expect(labelOf(after)).toMatch(/^[0-9a-f]{12}$/);
    expect(labelOf(after)).not.toBe(labelOf(before));
    expect(labelOf(await recordWith(proxied))).toBe(labelOf(before));
    // In the clear, so that a preview shows nothing but a reload; that is all it shows.
    expect(JSON.stringify(findResource(before.resources, "Container", "host-1-load").sealed)).not.toContain("[secret]");
    expect(JSON.stringify(findResource(before.resources, "Container", "host-1-load").inputs)).not.toContain(privatePartOf("test-origin-key"));
    expect(findResource(after.resources, "Container", "host-1-edge").inputs).toEqual(findResource(before.resources, "Container", "host-1-edge").inputs);
  });

  it("loads its routes only once the certificate is there", async () => {
    const { resources } = await recordWith(proxied);
    expect(findResource(resources, "Container", "host-1-load").options.dependencies).toContainEqual(expect.stringMatching(/Container::host-1-certificates$/));
  });
});

describe("authenticated origin pulls", () => {
  it("have Cloudflare show a certificate of this stack's own authority, and the edges ask for one", async () => {
    const { resources } = await recordWith(pulls);
    expect(findResource(resources, "SelfSignedCert", "test-origin-callers-authority").inputs).toMatchObject({
      isCaCertificate: true,
      allowedUses: ["cert_signing"],
      validityPeriodHours: 131_400,
    });
    expect(findResource(resources, "LocallySignedCert", "test-origin-callers").inputs).toMatchObject({
      certRequestPem: "request of test-origin-callers-request",
      caCertPem: "certificate of test-origin-callers-authority",
      allowedUses: expect.arrayContaining(["client_auth"]) as string[],
    });
    const brought = findResource(resources, "AuthenticatedOriginPullsCertificate", "test-origin-callers");
    expect(brought.inputs).toMatchObject({ zoneId, certificate: "certificate of test-origin-callers" });
    expect(brought.sealed).toMatchObject({ privateKey: "[secret]" });
    const settings = findResource(resources, "AuthenticatedOriginPullsSettings", "test-origin-callers");
    expect(settings.inputs).toEqual({ zoneId, enabled: true });
    expect(settings.options.dependencies).toContainEqual(expect.stringMatching(/OriginPullsCertificate::test-origin-callers$/));
    expect(findResource(resources, "Container", "host-1-certificates").inputs["uploads"]).toContainEqual({
      file: "/certificates/callers.pem",
      content: "certificate of test-origin-callers-authority",
      permissions: "0600",
    });
  });

  it("are asked for by the edges only once Cloudflare shows its certificate", async () => {
    const { resources } = await recordWith(pulls);
    expect(findResource(resources, "Container", "host-1-certificates").options.dependencies).toContainEqual(
      expect.stringMatching(/AuthenticatedOriginPullsSettings::test-origin-callers$/),
    );
  });

  it("seal every key", async () => {
    const { resources } = await recordWith(pulls);
    const keys = resources.filter(({ type }) => type.endsWith(":PrivateKey")).map(({ name }) => name);
    expect(keys.toSorted()).toEqual(["host-1-host-key", "test-origin-callers-authority-key", "test-origin-callers-key", "test-origin-key"]);
    for (const { type, name, sealed } of resources) for (const key of keys) expect(JSON.stringify(sealed), `${type} ${name}`).not.toContain(privatePartOf(key));
  });

  it("are left alone unless they are asked for", async () => {
    const { resources } = await recordWith(proxied);
    expect(resources.filter(({ type }) => type.includes("OriginPulls"))).toEqual([]);
  });
});
