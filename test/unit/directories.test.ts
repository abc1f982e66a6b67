import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";

import { directoriesScript } from "../../templates/directories.ts";
import { findShells } from "../support/shells.ts";

/** Another file system than the root's, which anybody may write to. */
const MOUNT = "dev/shm";

const { shells, forget } = findShells();
afterAll(forget);

// Its words for a file system are Linux's.
describe.runIf(process.platform === "linux").each(shells)("the job that makes directories, in $name", ({ path: PATH }) => {
  let folder: string;
  let name: string;
  const at = (path: string): string => join("/", MOUNT, name, path);
  const uid = process.getuid?.() ?? 0;
  // Root may give them away, as the job does.
  const owner = uid === 0 ? 1000 : uid;

  /** Runs the script as the job does, the parent of the mount point elsewhere. */
  function make(outside: string, mount: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const script = directoriesScript.replaceAll("/outside", outside);
    const { status, stdout, stderr } = spawnSync("sh", ["-c", script, "directories.sh", ...args], { env: { PATH, MOUNT: mount }, encoding: "utf8" });
    return { status, stdout, stderr };
  }

  const refusal = { status: 4, stdout: "the data volume is not mounted\n", stderr: "" };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "directories-"));
    name = folder.slice(tmpdir().length + 1);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
    rmSync(at(""), { recursive: true, force: true });
  });

  it("makes none while the data volume is not mounted", () => {
    mkdirSync(join(folder, "openclaw"));
    expect(make(folder, "openclaw", `${owner}:tenants/acme`)).toEqual(refusal);
    expect(readdirSync(join(folder, "openclaw"))).toEqual([]);
  });

  it("makes none while there is not even a place to mount it", () => {
    expect(make(folder, "openclaw", `${owner}:tenants/acme`)).toEqual(refusal);
    expect(existsSync(join(folder, "openclaw"))).toBe(false);
  });

  it("makes them on the data volume, each for its owner's eyes alone", () => {
    const args = [`${owner}:${name}/acme`, `${owner}:${name}/acme/state`, `${uid}:${name}/caddy`];
    expect(make("/.", MOUNT, ...args)).toEqual({ status: 0, stdout: "", stderr: "" });
    for (const [path, user] of [
      ["acme", owner],
      ["acme/state", owner],
      ["caddy", uid],
    ] as const)
      expect([path, statSync(at(path)).uid, statSync(at(path)).mode & 0o777]).toEqual([path, user, 0o700]);
  });

  it("leaves what is there, closes it to others, and can be run again", () => {
    const args = [`${owner}:${name}/acme`, `${owner}:${name}/acme/state`];
    expect(make("/.", MOUNT, ...args).status).toBe(0);
    writeFileSync(at("acme/state/memory"), "kept");
    spawnSync("chmod", ["755", at("acme/state")]);
    expect(make("/.", MOUNT, ...args).status).toBe(0);
    expect(readFileSync(at("acme/state/memory"), "utf8")).toBe("kept");
    expect(statSync(at("acme/state")).mode & 0o777).toBe(0o700);
  });

  it("fails where something else is in the way", () => {
    mkdirSync(at(""));
    writeFileSync(at("acme"), "a file");
    const { status, stderr } = make("/.", MOUNT, `${owner}:${name}/acme/state`);
    expect(status).not.toBe(0);
    expect(stderr).toContain("acme");
  });
});
