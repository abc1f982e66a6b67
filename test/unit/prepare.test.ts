import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { prepareScript, REFUSED } from "../../templates/prepare.ts";

let root: string;
const at = (path: string): string => join(root, path);

/** Runs the script as the job does, its folders in a temporary place and this user in the gateway's. */
function prepare(owner: string, adopt = false): { status: number | null; stdout: string } {
  const script = prepareScript.replaceAll("/data/", `${root}/data/`).replaceAll("/seed", `${root}/seed`);
  const env = { PATH: process.env["PATH"] ?? "", OWNER: owner, ADOPT: `${adopt}`, RUN_AS: `${process.getuid?.() ?? 0}` };
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script], { env, encoding: "utf8" });
  expect(stderr).toBe("");
  return { status, stdout };
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "prepare-"));
  for (const folder of ["data/state", "data/workspace", "seed/notes"]) mkdirSync(at(folder), { recursive: true });
  writeFileSync(at("seed/USER.md"), "seed");
  writeFileSync(at("seed/notes/a.md"), "nested");
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

describe("the job before a gateway", () => {
  it("marks new data, closes it to others and places the seed", () => {
    expect(prepare("one")).toEqual({ status: 0, stdout: "" });
    expect(readFileSync(at("data/state/.openclaw-tenant"), "utf8")).toBe("one");
    expect(statSync(at("data/state")).mode & 0o777).toBe(0o700);
    expect(readFileSync(at("data/workspace/USER.md"), "utf8")).toBe("seed");
    expect(readFileSync(at("data/workspace/notes/a.md"), "utf8")).toBe("nested");
  });

  it("lets the same tenant in again and overwrites nothing of what it made", () => {
    prepare("one");
    writeFileSync(at("data/workspace/USER.md"), "mine");
    rmSync(at("data/workspace/notes"), { recursive: true });
    writeFileSync(at("data/state/memory"), "mine");
    expect(prepare("one").status).toBe(0);
    expect(readFileSync(at("data/workspace/USER.md"), "utf8")).toBe("mine");
    expect(existsSync(at("data/workspace/notes"))).toBe(false);
    expect(readFileSync(at("data/state/memory"), "utf8")).toBe("mine");
  });

  it("refuses what another tenant left, and touches none of it", () => {
    prepare("one");
    expect(prepare("two")).toEqual({ status: 3, stdout: `${REFUSED}\n` });
    expect(readFileSync(at("data/state/.openclaw-tenant"), "utf8")).toBe("one");
  });

  it("refuses data without any mark", () => {
    writeFileSync(at("data/state/memory"), "whose?");
    expect(prepare("one").status).toBe(3);
  });

  it("hands it over when it is adopted, for good", () => {
    prepare("one");
    writeFileSync(at("data/state/memory"), "kept");
    expect(prepare("two", true).status).toBe(0);
    expect(readFileSync(at("data/state/memory"), "utf8")).toBe("kept");
    expect(prepare("two").status).toBe(0);
    expect(prepare("one").status).toBe(3);
  });
});
