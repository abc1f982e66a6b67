import * as z from "zod";

import { openssl, withFiles } from "./openssl.ts";

/** Goes into the extensions that openssl reads, where a comma starts the next value. */
const Name = z.string().regex(/^[^\s,]+$/, "use no spaces and no commas");

const Subject = z.strictObject({
  country: z.string().optional(),
  organization: z.string().optional(),
  organizationalUnit: z.string().optional(),
  locality: z.string().optional(),
  province: z.string().optional(),
  streetAddresses: z.array(z.string()).optional(),
  postalCode: z.string().optional(),
  commonName: z.string().optional(),
  serialNumber: z.string().optional(),
  emailAddress: z.string().optional(),
});

/** What a certificate is for. */
export const Names = z.strictObject({
  subject: Subject.optional(),
  dnsNames: z.array(Name).optional(),
  ipAddresses: z.array(z.union([z.ipv4(), z.ipv6()])).optional(),
  uris: z.array(Name).optional(),
});

/** A certificate signing request. */
export async function requestCertificate(keyPem: string, names: z.output<typeof Names>): Promise<string> {
  const alternatives = [
    ...(names.dnsNames ?? []).map((name) => `DNS:${name}`),
    ...(names.ipAddresses ?? []).map((address) => `IP:${address}`),
    ...(names.uris ?? []).map((uri) => `URI:${uri}`),
  ];
  const extension = alternatives.length === 0 ? [] : ["-addext", `subjectAltName=${alternatives.join(",")}`];
  const args = ["req", "-new", "-batch", "-utf8", "-config", "/dev/null", "-subj", renderSubject(names.subject ?? {}), ...extension];
  return await withFiles({ "key.pem": keyPem }, (pathOf) => openssl(...args, "-key", pathOf("key.pem")));
}

/** In the order of Go's `pkix.Name.ToRDNSequence`, which the provider uses. */
function renderSubject(subject: z.output<typeof Subject>): string {
  const parts = [
    ["C", subject.country],
    ["O", subject.organization],
    ["OU", subject.organizationalUnit],
    ["L", subject.locality],
    ["ST", subject.province],
    ...(subject.streetAddresses ?? []).map((street) => ["street", street]),
    ["postalCode", subject.postalCode],
    ["CN", subject.commonName],
    ["serialNumber", subject.serialNumber],
    ["emailAddress", subject.emailAddress],
  ];
  return `/${parts.flatMap(([type, value]) => (value === undefined ? [] : `${type ?? ""}=${value.replaceAll(/[\\/+]/g, "\\$&")}`)).join("/")}`;
}
