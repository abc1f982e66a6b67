import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { shortHash } from "../../lib/hash.ts";
import { parseImage } from "../../lib/image.ts";
import { keptVersions, readSchema } from "../../plan/openclaw-schema.ts";
import { CERTIFICATE_FILES, CERTIFICATES_PATH } from "../../templates/caddyfile.ts";
import { requestCertificate } from "../standin/certificate-request.ts";
import { signCertificate, Validity } from "../standin/certificates.ts";
import { library } from "../support/fleet.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine, runInImage } from "../support/machine.ts";

const expected = join(import.meta.dirname, "expected");
const { missing, local } = findMachine();

/** Every expected file of a kind by a flat name; what rendered.test.ts compares with, these tests hand to the real parsers. */
function expectedFiles(suffix: string): Record<string, string> {
  const files = readdirSync(expected, { recursive: true, withFileTypes: true }).filter(({ name }) => name.endsWith(suffix));
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [`${parentPath.slice(expected.length + 1)}.${name}`, readFileSync(join(parentPath, name), "utf8")]),
  );
}

/** In the official image, and not in one that set-up built from the npm package. */
const OTEL_PLUGIN = "plugins.entries.diagnostics-otel";
const { isBuilt } = parseImage(local?.openclawImage ?? "");

/** What Caddy warns of and is meant so: a site for unknown names needs no certificate, and whoever shows one for a name asks for that name. */
const MEANT: readonly string[] = [
  "server is listening only on the HTTP port, so no automatic HTTPS will be applied to this server",
  "enabling strict SNI-Host enforcement because TLS client auth is configured",
];

interface Verdict {
  valid?: boolean;
  warnings?: { path: string; message: string }[];
  issues?: { path: string; message: string }[];
}

describeWhere("an expected openclaw.json", missing, () => {
  const files = expectedFiles(".openclaw.json");
  const minimal = files["minimal.acme.openclaw.json"] ?? "";
  const broken = {
    "broken-key.json": minimal.replace('"gateway": {', '"gateway": { "colour": "red",'),
    "broken-value.json": minimal.replace('"bind": "lan"', '"bind": "0.0.0.0"'),
  };
  const skillsPath = /"\/opt\/openclaw-skills\/\w+"/.exec(minimal)?.[0].slice(1, -1) ?? "";
  let made: Record<string, string> = {};
  const verdictOn = (name: string): Verdict => JSON.parse(made[name] ?? "") as Verdict;

  beforeAll(async () => {
    const secrets = new Set(
      Object.values(files).flatMap((text) =>
        [...text.matchAll(/"id": "([A-Z][A-Z0-9_]+)"|"\$\{([A-Z][A-Z0-9_]+)\}"/g)].flatMap(([, id, name]) => id ?? name ?? []),
      ),
    );
    const skills = Object.fromEntries(
      library.files.map(({ path, contentBase64 }) => [`library/${path}`, Buffer.from(contentBase64, "base64").toString("utf8")]),
    );
    made = await runInImage(local ?? never(), {
      image: local?.openclawImage ?? "",
      files: { ...files, ...broken, ...skills },
      args: [...[...secrets].flatMap((name) => ["--env", `${name}=dummy-value-of-a-secret-0123456789`]), "--tmpfs", "/opt/openclaw-skills:mode=1777"],
      script: `
        cp -R library ${skillsPath}
        ls ./*.json | xargs -P 2 -I{} sh -c 'OPENCLAW_STATE_DIR=/tmp/state-{} OPENCLAW_CONFIG_PATH=/tmp/in/{} openclaw config validate --json > /tmp/out/{} || true'
        OPENCLAW_CONFIG_PATH=/tmp/in/minimal.acme.openclaw.json openclaw skills list --json > /tmp/out/skills &
        openclaw config schema > /tmp/out/schema
        wait`,
    });
  });

  it.each(Object.keys(files))("is accepted without a warning: %s", (name) => {
    const { valid, warnings } = verdictOn(name);
    expect(valid).toBe(true);
    expect(warnings?.filter(({ path }) => !(path === OTEL_PLUGIN && isBuilt))).toEqual([]);
  });

  it.each([
    ["broken-key.json", "gateway"],
    ["broken-value.json", "gateway.bind"],
  ])("would be refused if it were wrong: %s", (name, path) => {
    const { valid, issues } = verdictOn(name);
    expect(valid).not.toBe(true);
    expect(issues).toContainEqual(expect.objectContaining({ path }) as object);
  });

  it("leaves no bundled skill usable, and the library's", () => {
    const { skills } = JSON.parse(made["skills"] ?? "") as {
      skills: { name: string; bundled: boolean; blockedByAllowlist: boolean; source: string; eligible: boolean }[];
    };
    const bundled = skills.filter((skill) => skill.bundled);
    expect(bundled.length).toBeGreaterThan(20);
    expect(bundled.filter(({ blockedByAllowlist }) => !blockedByAllowlist)).toEqual([]);
    for (const name of library.names)
      expect(skills).toContainEqual(expect.objectContaining({ name, source: "openclaw-extra", eligible: true, blockedByAllowlist: false }) as object);
  });

  it("is checked in the plan by the very schema that the image prints", () => {
    const { version = "" } = parseImage(local?.openclawImage ?? "");
    expect(keptVersions()).toContain(version);
    expect(JSON.parse(made["schema"] ?? "")).toEqual(readSchema(version));
  });
});

describeWhere("an expected Caddyfile", missing, () => {
  const files = expectedFiles(".Caddyfile");
  const minimal = files["minimal.laptop.Caddyfile"] ?? "";
  const broken = { "broken.Caddyfile": `${minimal}\nhttp://acme.localhost:8080 {\n\treverse_prxy 127.0.0.1:18801\n}\n` };
  let made: Record<string, string> = {};

  beforeAll(async () => {
    made = await runInImage(local ?? never(), {
      image: local?.caddyImage ?? "",
      files: { ...files, ...broken, ...(await throwAwayCertificates()) },
      script: `mkdir ${CERTIFICATES_PATH} && cp *.pem *.key ${CERTIFICATES_PATH}
        for file in *.Caddyfile; do caddy validate --config "$file" --adapter caddyfile > "/tmp/out/$file" 2>&1 && echo accepted >> "/tmp/out/$file" || true; done`,
    });
  });

  it.each(Object.keys(files))("is accepted without a warning: %s", (name) => {
    expect(made[name]).toMatch(/\naccepted\n$/);
    const warnings = made[name]?.split("\n").filter((line) => /"level":"(warn|error)"|\t(WARN|ERROR)\t/.test(line));
    expect(warnings?.filter((line) => !MEANT.some((words) => line.includes(words)))).toEqual([]);
  });

  it("would be refused if it were wrong", () => {
    expect(made["broken.Caddyfile"]).not.toContain("accepted");
    expect(made["broken.Caddyfile"]).toContain("reverse_prxy");
  });
});

/** What stands in for Cloudflare's certificates, which Caddy reads while it validates. Self-signed, for a month. */
async function throwAwayCertificates(): Promise<Record<string, string>> {
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "sec1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const requestPem = await requestCertificate(privateKey, { subject: { commonName: "example.com" }, dnsNames: ["*.example.com", "example.com"] });
  const { certPem } = await signCertificate({
    requestPem,
    keyPem: privateKey,
    validity: Validity.parse({ validityPeriodHours: 720, allowedUses: ["server_auth"] }),
  });
  const { certificate, key, callers } = CERTIFICATE_FILES;
  return { [certificate]: certPem, [key]: privateKey, [callers]: certPem };
}

describe("the library in the plan", () => {
  it("is the one that the expected files name", () => {
    expect(JSON.stringify(expectedFiles(".openclaw.json"))).toContain(shortHash(JSON.stringify(library.files)));
  });
});

function never(): never {
  throw new Error("this suite runs only where nothing is missing");
}
