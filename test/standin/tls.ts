// Stand-in for the plug-in tls 5.6.1 (Terraform provider tls), which does the real thing: the keys and certificates are good ones.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

import * as z from "zod";

import { Names, requestCertificate } from "./certificate-request.ts";
import { signCertificate, Validity } from "./certificates.ts";
import { previewable } from "./inputs.ts";
import { type Kind, type Provider, serve } from "./provider.ts";
import { idOf, toOpenSsh } from "./ssh-key.ts";

const CURVES = { P224: "P-224", P256: "P-256", P384: "P-384", P521: "P-521" } as const;
const ALGORITHMS: Readonly<Record<string, string>> = { rsa: "RSA", ec: "ECDSA", ed25519: "ED25519" };

const Key = z.strictObject({
  algorithm: z.enum(["RSA", "ECDSA", "ED25519"]),
  ecdsaCurve: z.enum(["P224", "P256", "P384", "P521"]).default("P224"),
  rsaBits: z.int().default(2048),
});
const Request = Names.extend({ privateKeyPem: z.string() });
const SelfSigned = z.strictObject({ ...Request.shape, ...Validity.shape, setAuthorityKeyId: z.boolean().default(false) });
const LocallySigned = Validity.extend({ certRequestPem: z.string(), caCertPem: z.string(), caPrivateKeyPem: z.string() });

const privateKey: Kind = {
  inputs: previewable(Key),
  computed: [
    ...["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"],
    ...["publicKeyOpenssh", "publicKeyPem", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256"],
  ],
  create: (inputs) => {
    const key = generateKey(Key.parse(inputs));
    // OpenSSH does not know the smallest of the curves.
    const ssh = key.asymmetricKeyDetails?.namedCurve === "secp224r1" ? undefined : toOpenSsh(key);
    const pkcs8 = key.export({ type: "pkcs8", format: "pem" });
    const outputs = {
      ...inputs,
      privateKeyOpenssh: ssh?.privateKey ?? "",
      privateKeyPem: traditionalPem(key) ?? pkcs8,
      privateKeyPemPkcs8: pkcs8,
      publicKeyOpenssh: ssh?.publicKey ?? "",
      publicKeyPem: createPublicKey(key).export({ type: "spki", format: "pem" }),
      publicKeyFingerprintMd5: ssh?.fingerprintMd5 ?? "",
      publicKeyFingerprintSha256: ssh?.fingerprintSha256 ?? "",
    };
    return Promise.resolve({ id: idOf(key), outputs });
  },
};

const certRequest: Kind = {
  inputs: previewable(Request),
  computed: ["certRequestPem", "keyAlgorithm"],
  create: async (inputs) => {
    const { privateKeyPem, ...names } = Request.parse(inputs);
    const certRequestPem = await requestCertificate(privateKeyPem, names);
    const id = createHash("sha1").update(certRequestPem).digest("hex");
    return { id, outputs: { ...inputs, certRequestPem, keyAlgorithm: algorithmOf(privateKeyPem) } };
  },
};

const selfSignedCert: Kind = {
  inputs: previewable(SelfSigned),
  ...renewable(SelfSigned, ["keyAlgorithm"]),
  create: async (inputs) => {
    const { privateKeyPem, setAuthorityKeyId, ...rest } = SelfSigned.parse(inputs);
    const requestPem = await requestCertificate(privateKeyPem, rest);
    const { id, ...certificate } = await signCertificate({ requestPem, keyPem: privateKeyPem, validity: rest, setAuthorityKeyId });
    return { id, outputs: { ...inputs, ...certificate, keyAlgorithm: algorithmOf(privateKeyPem), readyForRenewal: false } };
  },
};

const locallySignedCert: Kind = {
  inputs: previewable(LocallySigned),
  ...renewable(LocallySigned, ["caKeyAlgorithm"]),
  create: async (inputs) => {
    const { certRequestPem, caCertPem, caPrivateKeyPem, ...validity } = LocallySigned.parse(inputs);
    const { id, ...certificate } = await signCertificate({ requestPem: certRequestPem, keyPem: caPrivateKeyPem, caCertPem, validity });
    return { id, outputs: { ...inputs, ...certificate, caKeyAlgorithm: algorithmOf(caPrivateKeyPem), readyForRenewal: false } };
  },
};

/** Of a certificate only the renewal period changes in place. */
function renewable(schema: z.ZodObject, computed: readonly string[]): Pick<Kind, "replace" | "computed" | "update"> {
  return {
    replace: Object.keys(schema.shape).filter((input) => input !== "earlyRenewalHours"),
    computed: [...computed, "certPem", "readyForRenewal", "validityStartTime", "validityEndTime"],
    update: (_id, olds, news) => Promise.resolve({ ...olds, ...news }),
  };
}

function generateKey({ algorithm, ecdsaCurve, rsaBits }: z.output<typeof Key>): KeyObject {
  switch (algorithm) {
    case "ED25519":
      return generateKeyPairSync("ed25519").privateKey;
    case "ECDSA":
      return generateKeyPairSync("ec", { namedCurve: CURVES[ecdsaCurve] }).privateKey;
    case "RSA":
      return generateKeyPairSync("rsa", { modulusLength: rsaBits }).privateKey;
  }
}

/** The algorithm's own form, for those older than PKCS #8. */
function traditionalPem(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType === "rsa") return key.export({ type: "pkcs1", format: "pem" }).toString();
  return key.asymmetricKeyType === "ec" ? key.export({ type: "sec1", format: "pem" }).toString() : undefined;
}

function algorithmOf(keyPem: string): string {
  const type = createPrivateKey(keyPem).asymmetricKeyType ?? "";
  const algorithm = ALGORITHMS[type];
  if (algorithm === undefined) throw new Error(`a private key of type "${type}" signs no certificate here; use RSA, ECDSA or ED25519`);
  return algorithm;
}

export const tls: Provider = {
  name: "tls",
  version: "5.6.1",
  kinds: {
    "tls:index/privateKey:PrivateKey": privateKey,
    "tls:index/certRequest:CertRequest": certRequest,
    "tls:index/selfSignedCert:SelfSignedCert": selfSignedCert,
    "tls:index/locallySignedCert:LocallySignedCert": locallySignedCert,
  },
};

if (import.meta.main) serve(tls);
