import { execFileSync } from "node:child_process";
import { createPublicKey, X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Certificate of the authority that signs what a world's origins show; a test that plays Cloudflare trusts it. */
export const ORIGIN_CA_FILE = "origin-ca.pem";

const KEY_FILE = "origin-ca.key";

/** The kind of key that a request is for. Absent: it is no request. */
export function findKeyType(csr: string): string | undefined {
  try {
    const publicKey = execFileSync("openssl", ["req", "-noout", "-pubkey", "-verify"], { input: csr, stdio: ["pipe", "pipe", "ignore"] });
    return createPublicKey(publicKey).asymmetricKeyType;
  } catch {
    return undefined;
  }
}

/** Signs a request for these names, whatever names it has itself. Call it while nothing else changes the world. */
export function signForOrigin(world: string, { csr, hostnames, days }: { csr: string; hostnames: readonly string[]; days: number }): X509Certificate {
  const [key, authority] = [join(world, KEY_FILE), join(world, ORIGIN_CA_FILE)];
  if (!existsSync(authority)) {
    const subject = ["-subj", "/O=stand-in for CloudFlare, Inc./CN=Origin SSL ECC Certificate Authority"];
    const args = ["req", "-x509", "-batch", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "7300"];
    execFileSync("openssl", [...args, ...subject, "-keyout", key, "-out", authority], { stdio: "ignore" });
  }
  const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-origin-"));
  try {
    const extensions = join(dir, "extensions");
    const names = hostnames.map((name) => `DNS:${name}`).join(",");
    writeFileSync(extensions, `subjectAltName=${names}\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\n`);
    const args = ["x509", "-req", "-CA", authority, "-CAkey", key, "-days", String(days), "-extfile", extensions];
    return new X509Certificate(execFileSync("openssl", args, { input: csr, stdio: ["pipe", "pipe", "ignore"] }));
  } finally {
    rmSync(dir, { recursive: true });
  }
}
