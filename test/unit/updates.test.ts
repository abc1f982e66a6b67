import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import JSON5 from "json5";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

import { parseSettings, type Settings } from "../../plan/settings.ts";
import { Tenant } from "../../tenants/schema.ts";
import { ACTIONLINT_VERSION, CADDY_VERSION, OPENCLAW_VERSION, PULUMI_VERSION } from "../../tools/versions.ts";
import { type Dependency, findDependencies, type Found, renovate, settingsFor, update } from "../support/renovate.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

/** Every file of the repository that the managers could look at; the local stack's settings are nobody else's. */
const files: Record<string, string> = Object.fromEntries(
  globSync(["*.yaml", "tenants/*.ts", "tools/*.ts", ".github/**/*.yml"], { cwd: root, exclude: ["Pulumi.local.yaml"] })
    .toSorted()
    .map((file) => [file, read(file)]),
);
const found = findDependencies(files);
const PROD = "Pulumi.prod.yaml";
/** With canaries, also where a fleet has none. */
const prod = /\n +canaryImage: /.test(read(PROD)) ? read(PROD) : read(PROD).replace(/\n( +)image: (.*)/, "$&\n$1canaryImage: $2");
const inProd = findDependencies({ [PROD]: prod });
const DIGEST = `sha256:${"5".repeat(64)}`;
const NEWER = { version: "2027.1.2", digest: DIGEST };

function settingsIn(text: string): Settings {
  const { config } = z.object({ config: z.record(z.string(), z.unknown()) }).parse(parse(text));
  return parseSettings(config["openclaw-tenants:settings"], PROD);
}

/** The one of that name in a file. */
function only(depName: string, file: string, among: readonly Found[]): Found {
  const all = among.filter((each) => each.depName === depName && each.file === file);
  const [first] = all;
  if (first === undefined || all.length > 1) throw new Error(`${file} has ${depName} ${all.length} times`);
  return first;
}

const imageOf = ({ packageName, version, digest = "" }: Found): string => `${packageName}:${version}@${digest}`;
const dependenciesOf = (file: string): Record<string, string> =>
  z.object({ dependencies: z.record(z.string(), z.string()), devDependencies: z.record(z.string(), z.string()).default({}) }).parse(JSON.parse(read(file)))
    .dependencies;

describe("what updates are looked for", () => {
  it("are every image of the servers, by tag and digest, each once and under a name of its own", () => {
    const settings = settingsIn(prod);
    expect(imageOf(only("OpenClaw for everybody", PROD, inProd))).toBe(settings.image);
    expect(imageOf(only("OpenClaw for canaries", PROD, inProd))).toBe(settings.canaryImage);
    expect(imageOf(only("Caddy", PROD, inProd))).toBe(settings.caddyImage);
  });

  it("leaves out no digest that stands in a stack's settings or list", () => {
    for (const [file, text] of Object.entries(files)) {
      const digests = [...text.matchAll(/^(?!\s*#).*?(sha256:[0-9a-f]{64})/gm)].map(({ index, 0: line, 1: digest = "" }) => index + line.indexOf(digest));
      const seen = found.filter((each) => each.file === file && each.digest !== undefined).map(({ at, match, digest = "" }) => at + match.indexOf(digest));
      expect(
        seen.toSorted((a, b) => a - b),
        file,
      ).toEqual(digests);
    }
  });

  it("are the versions that the repository has said twice or more, looked up as the same package", () => {
    const at = (packageName: string): unknown[] =>
      found.filter((each) => each.packageName === packageName && each.digest === undefined).map(({ file, version, datasource }) => [file, version, datasource]);
    const main = dependenciesOf("package.json");
    const setUp = ".github/actions/set-up/action.yml";
    expect(at("@pulumi/pulumi")).toEqual([
      [setUp, main["@pulumi/pulumi"], "npm"],
      ["tools/versions.ts", PULUMI_VERSION, "npm"],
    ]);
    expect(at("node")).toEqual([[setUp, main["node"], "npm"]]);
    expect(at("openclaw")).toEqual([["tools/versions.ts", OPENCLAW_VERSION, "npm"]]);
    expect(OPENCLAW_VERSION).toBe(dependenciesOf("tools/openclaw-image/package.json")["openclaw"]);
    expect(at("caddy")).toEqual([["tools/versions.ts", CADDY_VERSION, "docker"]]);
    expect(at("github.com/rhysd/actionlint")).toEqual([["tools/versions.ts", ACTIONLINT_VERSION, "go"]]);
  });

  it.each([
    ["quoted", `\n    image: "openclaw/openclaw:2026.9.6@${DIGEST}"\n`, "openclaw/openclaw", "2026.9.6"],
    ["indented by four", `\n        image: openclaw/openclaw:2026.9.6@${DIGEST}\n`, "openclaw/openclaw", "2026.9.6"],
    ["of another registry", `\n    image: ghcr.io/openclaw/openclaw:2026.9.6-slim@${DIGEST} # smaller\n`, "ghcr.io/openclaw/openclaw", "2026.9.6-slim"],
    ["of one's own registry", `\n    image: registry.example.com:5000/openclaw:2026.9.6@${DIGEST}\n`, "registry.example.com:5000/openclaw", "2026.9.6"],
  ])("finds an image that is %s", (_, text, packageName, version) => {
    expect(findDependencies({ "Pulumi.staging.yaml": text })).toEqual([
      expect.objectContaining({ depName: "OpenClaw for everybody", packageName, version, digest: DIGEST }) as Found,
    ]);
  });

  it.each([
    ["that is commented out", `\n    # image: openclaw/openclaw:2026.9.6@${DIGEST}\n`],
    ["of a server", "\n        image: ubuntu-24.04\n"],
    ["without a digest, which the settings refuse anyway", "\n    image: openclaw/openclaw:2026.9.6\n"],
  ])("looks for none %s", (_, text) => {
    expect(findDependencies({ "Pulumi.staging.yaml": text })).toEqual([]);
  });

  it("reads with expressions that Renovate's own engine takes: nothing in them looks around or back", () => {
    for (const { matchStrings, managerFilePatterns } of renovate.customManagers)
      for (const expression of [...matchStrings, ...managerFilePatterns]) expect(expression).not.toMatch(/\(\?<?[=!]|\\[1-9k]/);
  });
});

describe("an update", () => {
  it("of the canaries is taken by the settings, and leaves everybody else where they are", () => {
    const before = settingsIn(prod);
    const canaries = only("OpenClaw for canaries", PROD, inProd);
    const after = settingsIn(update(prod, canaries, NEWER));
    expect(after).toEqual({ ...before, canaryImage: imageOf({ ...canaries, ...NEWER }) });
  });

  it("of everybody is taken by the settings, and leaves the canaries where they are", () => {
    const everybody = only("OpenClaw for everybody", PROD, inProd);
    const after = settingsIn(update(prod, everybody, NEWER));
    expect(after).toEqual({ ...settingsIn(prod), image: imageOf({ ...everybody, ...NEWER }) });
  });

  it("of Caddy is taken by the settings", () => {
    const after = settingsIn(update(prod, only("Caddy", PROD, inProd), { version: "2.12.0", digest: DIGEST }));
    expect(after).toEqual({ ...settingsIn(prod), caddyImage: `caddy:2.12.0@${DIGEST}` });
  });

  it("of a tenant with an image of its own is taken by the list", () => {
    const entry = `{ id: "acme", name: "Acme Plumbing", host: "host-1", port: 18801, image: "openclaw/openclaw:2026.9.6-slim@sha256:${"0".repeat(64)}" }`;
    const own = only(
      "OpenClaw of single tenants",
      "tenants/prod.ts",
      findDependencies({ "tenants/prod.ts": `export default defineTenants([\n  ${entry},\n]);\n` }),
    );
    const after = update(entry, own, { version: "2026.9.7-slim", digest: DIGEST });
    expect(Tenant.parse(JSON5.parse(after)).image).toBe(`openclaw/openclaw:2026.9.7-slim@${DIGEST}`);
  });
});

describe("how an update comes", () => {
  const image = (depName: string): Record<string, unknown> =>
    settingsFor({ manager: "custom.regex", datasource: "docker", depName, packageName: "openclaw/openclaw" });
  const npm = (packageName: string, depType = "dependencies"): Dependency => ({
    manager: "npm",
    datasource: "npm",
    depName: packageName,
    packageName,
    depType,
  });

  it("to canaries and single tenants at once, to everybody after a week", () => {
    expect(image("OpenClaw for canaries")["minimumReleaseAge"]).toBeUndefined();
    expect(image("OpenClaw of single tenants")["minimumReleaseAge"]).toBeUndefined();
    expect(image("OpenClaw for everybody")["minimumReleaseAge"]).toBe("7 days");
  });

  it("in a pull request of its own for each, which the name makes and no group takes away", () => {
    const names = inProd.map(({ depName }) => depName);
    expect(new Set(names).size).toBe(names.length);
    for (const depName of names) expect(image(depName)["groupName"], depName).toBeUndefined();
  });

  it("with the release notes", () => {
    for (const depName of ["OpenClaw for canaries", "OpenClaw for everybody", "OpenClaw of single tenants"]) {
      const { changelogUrl, prBodyNotes } = image(depName);
      expect(changelogUrl).toBe("https://github.com/openclaw/openclaw/releases");
      expect(prBodyNotes).toContainEqual(expect.stringContaining("https://github.com/openclaw/openclaw/releases/tag/v{{newVersion}}"));
    }
    expect(image("OpenClaw for everybody")["prBodyNotes"]).toHaveLength(2);
  });

  it("together, and at one age, where versions have to stay the same", () => {
    for (const [packageName, groupName] of [
      ["@pulumi/pulumi", "Pulumi engine"],
      ["node", "Node"],
      ["openclaw", "OpenClaw of the local stack"],
    ] as const) {
      const all = [npm(packageName), ...found.filter((each) => each.packageName === packageName)].map(settingsFor);
      expect(all.length, packageName).toBeGreaterThan(1);
      for (const each of all) expect(each, packageName).toMatchObject({ groupName, minimumReleaseAge: all[0]?.["minimumReleaseAge"] });
      expect(all[0]?.["minimumReleaseAge"], packageName).toBeDefined();
    }
  });

  it("to what an action installs by these rules alone, not by what Renovate knows of the action", () => {
    const own = { manager: "github-actions", datasource: "github-releases", depName: "node", packageName: "actions/node-versions", depType: "uses-with" };
    expect(settingsFor(own)["enabled"]).toBe(false);
    const action = { ...own, datasource: "github-tags", depName: "actions/checkout", packageName: "actions/checkout", depType: "action" };
    expect(settingsFor(action)["enabled"]).toBeUndefined();
    expect(renovate.extends).toContain("helpers:pinGitHubActionDigestsToSemver");
  });

  it("never past what Node and TypeScript are held at", () => {
    expect(settingsFor(npm("node"))["allowedVersions"]).toBe("<25");
    expect(settingsFor(npm("@types/node", "devDependencies"))["allowedVersions"]).toBe("<25");
    expect(settingsFor(npm("typescript", "devDependencies"))["allowedVersions"]).toBe("<7");
    expect(settingsFor({ ...npm("node", "engines"), datasource: "node-version" })["enabled"]).toBe(false);
  });

  it("into nothing by itself", () => {
    expect(renovate["automerge"]).toBe(false);
    expect(JSON.stringify(renovate)).not.toMatch(/"automerge":true|automerge(?!":false)/i);
    expect(renovate.extends).toEqual(["config:recommended", "helpers:pinGitHubActionDigestsToSemver"]);
    expect(renovate.enabledManagers).toEqual(["npm", "github-actions", "custom.regex"]);
  });

  it("to exact versions", () => {
    expect(renovate["rangeStrategy"]).toBe("pin");
    const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
