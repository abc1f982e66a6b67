import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";

import { checkProps } from "../../standin/properties.ts";
import { type Kind, type OperationContext, type Props, UNKNOWN } from "../../standin/provider.ts";
import { tls } from "../../standin/tls.ts";

const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-tls-"));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const context: OperationContext = { urn: "", timeoutSeconds: 0, signal: new AbortController().signal, log: () => undefined };
const ALGORITHMS = [
  { name: "ED25519", inputs: { algorithm: "ED25519" } },
  { name: "ECDSA on P-256", inputs: { algorithm: "ECDSA", ecdsaCurve: "P256" } },
  { name: "ECDSA on P-521", inputs: { algorithm: "ECDSA", ecdsaCurve: "P521" } },
  { name: "RSA", inputs: { algorithm: "RSA", rsaBits: 2048 } },
];

function findKind(name: string): Kind {
  const kind = Object.entries(tls.kinds).find(([type]) => type.endsWith(`:${name}`))?.[1];
  if (kind === undefined) throw new Error(`there is no ${name}`);
  return kind;
}

/** Checks inputs as the engine has it done, and makes the resource. */
async function make(name: string, inputs: Props): Promise<Record<string, string>> {
  const kind = findKind(name);
  const checked = checkProps(kind.inputs, inputs);
  if ("failures" in checked) throw new Error(JSON.stringify(checked.failures));
  const { outputs } = await kind.create(checked.props, context);
  expect(Object.keys(outputs)).toEqual(expect.arrayContaining([...(kind.computed ?? [])]));
  return outputs as Record<string, string>;
}

function write(name: string, content: string | undefined): string {
  const file = join(dir, name);
  writeFileSync(file, content ?? "", { mode: 0o600 });
  return file;
}

describe("a private key", () => {
  it.each(ALGORITHMS)("is one that ssh-keygen reads: $name", async ({ name, inputs }) => {
    const key = await make("PrivateKey", inputs);
    const file = write(name, key["privateKeyOpenssh"]);
    expect(`${(await execa("ssh-keygen", ["-y", "-f", file])).stdout}\n`).toBe(key["publicKeyOpenssh"]);
    const fingerprint = async (hash: string) => (await execa("ssh-keygen", ["-l", "-E", hash, "-f", file])).stdout.split(" ")[1];
    expect(await fingerprint("sha256")).toBe(key["publicKeyFingerprintSha256"]);
    expect(await fingerprint("md5")).toBe(`MD5:${key["publicKeyFingerprintMd5"] ?? ""}`);
  });

  it.each([...ALGORITHMS, { name: "ECDSA on P-224", inputs: { algorithm: "ECDSA" } }])("is the same one in every PEM form: $name", async ({ inputs }) => {
    const key = await make("PrivateKey", inputs);
    for (const form of ["privateKeyPem", "privateKeyPemPkcs8"]) {
      expect(createPublicKey(createPrivateKey(key[form] ?? "")).export({ type: "spki", format: "pem" })).toBe(key["publicKeyPem"]);
    }
  });

  it("has no OpenSSH form on the curve that OpenSSH does not know", async () => {
    const key = await make("PrivateKey", { algorithm: "ECDSA" });
    expect([key["privateKeyOpenssh"], key["publicKeyOpenssh"], key["publicKeyFingerprintSha256"]]).toEqual(["", "", ""]);
  });

  it("is checked before it is made", () => {
    const { inputs } = findKind("PrivateKey");
    expect(checkProps(inputs, { algorithm: UNKNOWN, rsaBits: UNKNOWN })).toEqual({ props: { algorithm: UNKNOWN, ecdsaCurve: "P224", rsaBits: UNKNOWN } });
    expect(checkProps(inputs, { algorithm: "DSA", bits: 1024 })).toMatchObject({
      failures: [{ property: "algorithm" }, { reason: 'Unrecognized key: "bits"' }],
    });
  });
});

describe("certificates", () => {
  it.each(ALGORITHMS)("chain from a request to its authority: $name", async ({ inputs }) => {
    const [caKey, key] = await Promise.all([make("PrivateKey", inputs), make("PrivateKey", inputs)]);
    const subject = { commonName: "Zoë / Söhne + Co", organization: "Acme", streetAddresses: ["First 1", "Second 2"] };
    const names = { dnsNames: ["*.acme.example"], ipAddresses: ["127.0.0.1"], uris: ["https://acme.example/x"] };
    const request = await make("CertRequest", { privateKeyPem: key["privateKeyPem"], subject, ...names });
    const requestFile = write("request.pem", request["certRequestPem"]);
    expect((await execa("openssl", ["req", "-in", requestFile, "-noout", "-verify"])).stderr).toMatch(/verify OK/);

    const authority = await make("SelfSignedCert", {
      privateKeyPem: caKey["privateKeyPem"],
      subject: { commonName: "authority" },
      isCaCertificate: true,
      allowedUses: ["cert_signing"],
      validityPeriodHours: 131_400,
    });
    const signed = await make("LocallySignedCert", {
      certRequestPem: request["certRequestPem"],
      caCertPem: authority["certPem"],
      caPrivateKeyPem: caKey["privateKeyPem"],
      allowedUses: ["client_auth", "digital_signature"],
      validityPeriodHours: 12,
    });
    const files = [write("authority.pem", authority["certPem"]), write("signed.pem", signed["certPem"])] as const;
    await execa("openssl", ["verify", "-purpose", "sslclient", "-CAfile", ...files]);
    await expect(execa("openssl", ["verify", "-purpose", "sslserver", "-CAfile", ...files])).rejects.toThrow(/certificate purpose/);

    const [top, leaf] = [new X509Certificate(authority["certPem"] ?? ""), new X509Certificate(signed["certPem"] ?? "")];
    expect([top.ca, leaf.ca]).toEqual([true, false]);
    expect(leaf.subject).toBe("O=Acme\nstreet=First 1\nstreet=Second 2\nCN=Zoë / Söhne \\+ Co");
    expect(leaf.subjectAltName).toBe("DNS:*.acme.example, IP Address:127.0.0.1, URI:https://acme.example/x");
    expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBe(12 * 3_600_000);
    expect(leaf.validToDate).toEqual(new Date(signed["validityEndTime"] ?? ""));
    expect(leaf.checkPrivateKey(createPrivateKey(key["privateKeyPem"] ?? ""))).toBe(true);
    expect([request["keyAlgorithm"], authority["keyAlgorithm"], signed["caKeyAlgorithm"]]).toEqual(Array(3).fill(inputs.algorithm));
  });

  it("are refused where a name would become another extension", () => {
    const failures = checkProps(findKind("CertRequest").inputs, { privateKeyPem: "x", dnsNames: ["a.example,DNS:evil.example"] });
    expect(failures).toEqual({ failures: [{ property: "dnsNames[0]", reason: "use no spaces and no commas" }] });
  });
});
