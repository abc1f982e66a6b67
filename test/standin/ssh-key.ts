import { createHash, createPublicKey, type KeyObject, randomBytes } from "node:crypto";

import * as z from "zod";

/** A key as OpenSSH writes it. */
export interface OpenSshKey {
  privateKey: string;
  /** As in `authorized_keys`, with a final newline and no comment. */
  publicKey: string;
  fingerprintMd5: string;
  fingerprintSha256: string;
}

const Bytes = z.base64url().transform((text) => Buffer.from(text, "base64url"));

/** Private keys as node:crypto exports them (RFC 7517, RFC 8037). */
const Jwk = z.discriminatedUnion("kty", [
  z.object({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: Bytes, d: Bytes }),
  z.object({ kty: z.literal("EC"), crv: z.enum(["P-256", "P-384", "P-521"]), x: Bytes, y: Bytes, d: Bytes }),
  z.object({ kty: z.literal("RSA"), n: Bytes, e: Bytes, d: Bytes, p: Bytes, q: Bytes, qi: Bytes }),
]);

/** OpenSSH's form of a private key (PROTOCOL.key in its sources). */
export function toOpenSsh(key: KeyObject): OpenSshKey {
  const { name, shared, secret } = partsOf(Jwk.parse(key.export({ format: "jwk" })));
  const publicBlob = Buffer.concat([text(name), ...shared]);
  const check = randomBytes(4);
  // An RSA key's private part repeats the shared numbers in another order.
  const section = [check, check, text(name), ...(name === "ssh-rsa" ? shared.toReversed() : shared), ...secret, text("")];
  const length = Buffer.concat(section).length;
  const padding = Buffer.from(Array.from({ length: (8 - (length % 8)) % 8 }, (_, index) => index + 1));
  const one = Buffer.from([0, 0, 0, 1]);
  const header = [Buffer.from("openssh-key-v1\0"), text("none"), text("none"), text(""), one];
  const base64 = Buffer.concat([...header, bytes(publicBlob), bytes(Buffer.concat([...section, padding]))]).toString("base64");
  const digest = (algorithm: string) => createHash(algorithm).update(publicBlob);
  return {
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${base64.replaceAll(/.{1,64}/g, "$&\n")}-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: `${name} ${publicBlob.toString("base64")}\n`,
    fingerprintMd5: digest("md5")
      .digest("hex")
      .replaceAll(/..(?!$)/g, "$&:"),
    fingerprintSha256: `SHA256:${digest("sha256").digest("base64").replace(/=+$/, "")}`,
  };
}

/** Hexadecimal SHA-1 of the public key, by which the provider names its keys. */
export function idOf(key: KeyObject): string {
  return createHash("sha1")
    .update(createPublicKey(key).export({ type: "spki", format: "der" }))
    .digest("hex");
}

function partsOf(jwk: z.output<typeof Jwk>): { name: string; shared: Buffer[]; secret: Buffer[] } {
  switch (jwk.kty) {
    case "OKP":
      return { name: "ssh-ed25519", shared: [bytes(jwk.x)], secret: [bytes(Buffer.concat([jwk.d, jwk.x]))] };
    case "EC": {
      const curve = `nistp${jwk.crv.slice(2)}`;
      return { name: `ecdsa-sha2-${curve}`, shared: [text(curve), bytes(Buffer.concat([Buffer.from([4]), jwk.x, jwk.y]))], secret: [number(jwk.d)] };
    }
    case "RSA":
      return { name: "ssh-rsa", shared: [number(jwk.e), number(jwk.n)], secret: [jwk.d, jwk.qi, jwk.p, jwk.q].map(number) };
  }
}

/** The data types of RFC 4251, section 5. */
function bytes(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

function text(content: string): Buffer {
  return bytes(Buffer.from(content));
}

function number(content: Buffer): Buffer {
  const start = content.findIndex((byte) => byte !== 0);
  const significant = start === -1 ? Buffer.alloc(0) : content.subarray(start);
  // A number is signed: a leading one bit would make it negative.
  return bytes((significant[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), significant]) : significant);
}
