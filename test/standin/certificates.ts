import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";

import * as z from "zod";

import { openssl, withFiles } from "./openssl.ts";

const KEY_USAGES = {
  digital_signature: "digitalSignature",
  content_commitment: "nonRepudiation",
  key_encipherment: "keyEncipherment",
  data_encipherment: "dataEncipherment",
  key_agreement: "keyAgreement",
  cert_signing: "keyCertSign",
  crl_signing: "cRLSign",
} as const;

const EXTENDED_KEY_USAGES = {
  any_extended: "anyExtendedKeyUsage",
  server_auth: "serverAuth",
  client_auth: "clientAuth",
  code_signing: "codeSigning",
  email_protection: "emailProtection",
  timestamping: "timeStamping",
  ocsp_signing: "OCSPSigning",
} as const;

export const Validity = z.strictObject({
  validityPeriodHours: z.int().min(0),
  /** Kept, and nothing more: what is due for renewal is not replaced here. */
  earlyRenewalHours: z.int().min(0).default(0),
  allowedUses: z.array(z.enum([...keysOf(KEY_USAGES), ...keysOf(EXTENDED_KEY_USAGES)])),
  isCaCertificate: z.boolean().default(false),
  maxPathLength: z.int().min(-1).optional(),
  setSubjectKeyId: z.boolean().default(false),
});

export interface Certificate {
  id: string;
  certPem: string;
  validityStartTime: string;
  validityEndTime: string;
}

export interface SigningOrder {
  requestPem: string;
  /** The authority's private key, or the request's own. */
  keyPem: string;
  /** Absent: the certificate signs itself. */
  caCertPem?: string;
  validity: z.output<typeof Validity>;
  /** Default: yes under an authority. */
  setAuthorityKeyId?: boolean;
}

/** Signs a certificate signing request. */
export async function signCertificate(order: SigningOrder): Promise<Certificate> {
  const { requestPem, keyPem, caCertPem, validity, setAuthorityKeyId = caCertPem !== undefined } = order;
  const serial = randomBytes(16).toString("hex");
  const start = new Date();
  const end = new Date(start.getTime() + validity.validityPeriodHours * 3_600_000);
  const contents = { "key.pem": keyPem, "request.pem": requestPem, "ca.pem": caCertPem ?? "", serial, index: "" };
  const certPem = await withFiles(contents, async (pathOf) => {
    await writeFile(pathOf("config"), renderConfig(pathOf, validity, setAuthorityKeyId));
    const signer = caCertPem === undefined ? ["-selfsign"] : ["-cert", pathOf("ca.pem")];
    const period = ["-startdate", opensslTime(start), "-enddate", opensslTime(end)];
    const files = ["-config", pathOf("config"), "-extensions", "extensions", "-in", pathOf("request.pem"), "-keyfile", pathOf("key.pem")];
    return await openssl("ca", "-batch", "-notext", "-preserveDN", ...signer, ...period, ...files);
  });
  return { id: BigInt(`0x${serial}`).toString(), certPem, validityStartTime: rfc3339(start), validityEndTime: rfc3339(end) };
}

function renderConfig(pathOf: (name: string) => string, validity: z.output<typeof Validity>, setAuthorityKeyId: boolean): string {
  const { isCaCertificate, maxPathLength = 0, allowedUses, setSubjectKeyId } = validity;
  const usages = (table: Readonly<Record<string, string>>) => allowedUses.flatMap((use) => table[use] ?? []).join(",");
  const extensions = {
    basicConstraints: `critical,CA:${isCaCertificate ? "TRUE" : "FALSE"}${isCaCertificate && maxPathLength > 0 ? `,pathlen:${maxPathLength}` : ""}`,
    keyUsage: usages(KEY_USAGES) && `critical,${usages(KEY_USAGES)}`,
    extendedKeyUsage: usages(EXTENDED_KEY_USAGES),
    subjectKeyIdentifier: isCaCertificate || setSubjectKeyId ? "hash" : "none",
    authorityKeyIdentifier: setAuthorityKeyId ? "keyid" : "",
  };
  return [
    "[ca]\ndefault_ca = signer\n[signer]",
    `database = ${pathOf("index")}\nserial = ${pathOf("serial")}\nnew_certs_dir = ${pathOf(".")}`,
    // The names a certificate is for come from its request, and nothing else does.
    "default_md = default\npolicy = any\ncopy_extensions = copy\n[any]\n[extensions]",
    ...Object.entries(extensions).flatMap(([name, value]) => (value === "" ? [] : `${name} = ${value}`)),
    "",
  ].join("\n");
}

function opensslTime(time: Date): string {
  return rfc3339(time).replaceAll(/[-:T]/g, "");
}

function rfc3339(time: Date): string {
  return time.toISOString().replace(/\.\d+/, "");
}

function keysOf<K extends string>(table: Readonly<Record<K, string>>): K[] {
  return Object.keys(table) as K[];
}
