import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { renderCloudInit } from "../../templates/cloud-init.ts";
import { describeWhere } from "../support/levels.ts";
import { hosts } from "./hosts.ts";

const expected = join(import.meta.dirname, "expected", "cloud-init");
const pathOf = (name: string): string => join(expected, `${name}.yaml`);

describe("user data", () => {
  it.each(Object.entries(hosts))("is %s.yaml to the byte", async (name, args) => {
    await expect(renderCloudInit(args)).toMatchFileSnapshot(pathOf(name));
  });

  it("is all there is in expected/cloud-init/", () => {
    expect(readdirSync(expected).toSorted()).toEqual(
      Object.keys(hosts)
        .map((name) => `${name}.yaml`)
        .toSorted(),
    );
  });
});

/** The first release of cloud-init whose check refuses a key that it does not know. */
const STRICT_SINCE = 23.4;

/** The cloud-init that set-up unpacked, or else the one that is installed; or what is missing of it. */
function findCloudInit(): { program: string; missing: string | undefined } {
  const unpacked = new URL("../../.local/bin/cloud-init", import.meta.url).pathname;
  const program = existsSync(unpacked) ? unpacked : "cloud-init";
  const { error, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  const version = error === undefined ? /\s(\d+\.\d+)/.exec(stdout)?.[1] : undefined;
  if (version === undefined) return { program, missing: "no cloud-init; npm test brings it" };
  if (Number(version) < STRICT_SINCE) return { program, missing: `cloud-init ${version} lets unknown keys pass; npm test brings a newer one` };
  return { program, missing: undefined };
}

const { program, missing } = findCloudInit();

describeWhere("the expected user data, read by cloud-init itself,", missing, () => {
  let folder: string;
  const plain = renderCloudInit(hosts.plain);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "cloud-init-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function check(path: string): { isAccepted: boolean; said: string } {
    const { status, stdout, stderr } = spawnSync(program, ["schema", "--config-file", path], { encoding: "utf8" });
    return { isAccepted: status === 0, said: stdout + stderr };
  }

  it.each(Object.keys(hosts))("is accepted without a warning: %s", (name) => {
    expect(check(pathOf(name))).toEqual({ isAccepted: true, said: expect.stringMatching(/^Valid (schema|cloud-config:?) \S+\n*$/) as string });
  });

  it.each([
    ["an unknown key", "colour", `${plain}\ncolour: red\n`],
    ["a value of the wrong type", "packages", plain.replace("packages:\n", "packages: docker.io\nignored:\n")],
    ["a file without a path", "write_files", plain.replace("- path: /etc/sudoers.d/openclaw\n", "- paht: /etc/sudoers.d/openclaw\n")],
  ])("would be refused with %s", (_, key, text) => {
    const path = join(folder, "broken.yaml");
    writeFileSync(path, text);
    const { isAccepted, said } = check(path);
    expect(isAccepted).toBe(false);
    expect(said).toContain(key);
  });
});
