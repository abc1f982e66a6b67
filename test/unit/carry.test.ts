import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";

import { shortHash } from "../../lib/hash.ts";
import { carryScript } from "../../templates/carry.ts";
import { findShells } from "../support/shells.ts";

const MARKER = "state/.openclaw-tenant";

const { shells, forget } = findShells();
afterAll(forget);

/** What lies below a folder, by path: kind, mode and content. The marker is not data. */
function treeOf(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path !== MARKER);
  return Object.fromEntries(
    paths.toSorted().map((path) => {
      const entry = lstatSync(join(folder, path));
      const mode = (entry.mode & 0o7777).toString(8);
      if (entry.isSymbolicLink()) return [path, `link to ${readlinkSync(join(folder, path))}`];
      if (entry.isDirectory()) return [path, `directory ${mode}`];
      // tar counts whole seconds.
      return [path, `file ${mode} of ${Math.floor(entry.mtimeMs / 1000)}: ${shortHash(readFileSync(join(folder, path)).toString("base64"))}`];
    }),
  );
}

describe.each(shells)("a step of a move, in $name", ({ path }) => {
  let root: string;
  /** Hosts by name, each with the tenant's two volumes. */
  const at = (host: string, below = ""): string => join(root, host, below);
  const markerOf = (host: string): string => readFileSync(at(host, MARKER), "utf8");

  /** Runs a step as the job does, the host's folder in place of /data. */
  function run(
    host: string,
    step: string,
    { input, PATH = path, owner = "one" }: { input?: Buffer; PATH?: string; owner?: string } = {},
  ): { status: number | null; out: Buffer; err: string } {
    const script = carryScript.replaceAll("/data", at(host));
    const { status, stdout, stderr } = spawnSync("sh", ["-c", script, "carry", step], {
      env: { PATH, OWNER: owner },
      input: input ?? Buffer.alloc(0),
      maxBuffer: 1 << 26,
    });
    return { status, out: stdout, err: stderr.toString() };
  }

  const silent = { status: 0, out: Buffer.alloc(0), err: "" };
  const look = (host: string, owner = "one"): string => run(host, "look", { owner }).out.toString();

  /** All steps, as components/carry.ts takes them. */
  function move(from: string, to: string): void {
    expect(look(to)).toBe("");
    expect(run(to, "clear")).toEqual(silent);
    const { status, out } = run(from, "send");
    expect(status).toBe(0);
    expect(run(to, "receive", { input: out })).toEqual(silent);
    expect(run(from, "leave")).toEqual(silent);
    expect(run(to, "settle")).toEqual(silent);
  }

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "carry-"));
    for (const host of ["old", "new"]) for (const part of ["state", "workspace"]) mkdirSync(at(host, part), { recursive: true });
    writeFileSync(at("old", MARKER), "one");
    writeFileSync(at("old", "state/memory"), "remembered");
    writeFileSync(at("old", "workspace/USER.md"), "who");
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it("brings everything over as it was, and marks both ends", () => {
    const odd = ["a b", "-rf", "*", "ünïcode", "it's", 'say "hi"', "$HOME", "new\nline", ".hidden", "back\\slash", "l".repeat(200)];
    for (const name of odd) writeFileSync(at("old", `workspace/${name}`), name);
    mkdirSync(at("old", "workspace/deep/er/est"), { recursive: true });
    mkdirSync(at("old", "state/empty"), { mode: 0o700 });
    writeFileSync(at("old", "state/blob"), randomBytes(3_000_000));
    writeFileSync(at("old", "state/secret"), "", { mode: 0o600 });
    writeFileSync(at("old", "workspace/run.sh"), "#!/bin/sh\n");
    chmodSync(at("old", "workspace/run.sh"), 0o750);
    symlinkSync("run.sh", at("old", "workspace/deep/inside"));
    symlinkSync("/nowhere/at/all", at("old", "workspace/dangling"));
    symlinkSync("nothing", at("old", "state/dangling"));
    symlinkSync("../state/memory", at("old", "workspace/aside"));
    utimesSync(at("old", "state/memory"), 1_000_000_000, 1_000_000_000);
    const before = treeOf(at("old"));

    move("old", "new");

    expect(Object.keys(before)).toHaveLength(odd.length + 15);
    expect(treeOf(at("new"))).toEqual(before);
    expect(treeOf(at("old"))).toEqual(before);
    expect([markerOf("old"), markerOf("new")]).toEqual(["left:one", "one"]);
    expect([look("old"), look("new")]).toEqual(["", "here\n"]);
  });

  it("leaves behind what listened at a socket, which no copy could take", async () => {
    mkdirSync(at("old", "workspace/deep"));
    const servers = ["state/gateway.sock", "workspace/deep/agent.sock"].map((path) => createServer().listen(at("old", path)));
    await Promise.all(servers.map((server) => new Promise((resolve) => server.once("listening", resolve))));
    try {
      move("old", "new");
    } finally {
      for (const server of servers) server.close();
    }
    expect(Object.keys(treeOf(at("new")))).toEqual(["state", "state/memory", "workspace", "workspace/USER.md", "workspace/deep"]);
  });

  it("refuses to send what is not the tenant's, and what is not there", () => {
    writeFileSync(at("old", MARKER), "two");
    const refusal = { status: 3, out: Buffer.alloc(0), err: "its data is not on the host it shall move from\n" };
    expect(run("old", "send")).toEqual(refusal);
    writeFileSync(at("old", MARKER), "left:two");
    expect(run("old", "send")).toEqual(refusal);
    writeFileSync(at("old", MARKER), "coming:one");
    expect(run("old", "send")).toEqual(refusal);
    expect(run("new", "send")).toEqual(refusal);
    expect(existsSync(at("new", MARKER))).toBe(false);
  });

  it.each([
    ["of another tenant", "two"],
    ["that another tenant left", "left:two"],
    ["that was coming for another tenant", "coming:two"],
    ["of nobody knows whom", undefined],
  ])("refuses to clear data %s, and touches none of it", (_, marker) => {
    if (marker !== undefined) writeFileSync(at("new", MARKER), marker);
    writeFileSync(at("new", "workspace/theirs"), "theirs");
    const before = treeOf(at("new"));
    expect(run("new", "clear")).toEqual({ status: 3, out: Buffer.alloc(0), err: "another tenant's data is in its place\n" });
    expect(treeOf(at("new"))).toEqual(before);
    expect(existsSync(at("new", MARKER)) ? markerOf("new") : undefined).toBe(marker);
  });

  it("does not take a copy that was broken off for the data, and begins anew", () => {
    writeFileSync(at("old", "workspace/large"), randomBytes(2_000_000));
    expect(run("new", "clear")).toEqual(silent);
    const { out } = run("old", "send");
    run("new", "receive", { input: out.subarray(0, 1_000_000) });
    expect(look("new")).toBe("");
    expect(markerOf("new")).toBe("coming:one");
    writeFileSync(at("new", "workspace/half of it"), "half");

    move("old", "new");

    expect(treeOf(at("new"))).toEqual(treeOf(at("old")));
    expect(look("new")).toBe("here\n");
  });

  it("begins anew as well when it was broken off between the two ends' marks", () => {
    expect(run("new", "clear")).toEqual(silent);
    expect(run("new", "receive", { input: run("old", "send").out })).toEqual(silent);
    expect(run("old", "leave")).toEqual(silent);
    // Never are both ends its home: a move back would take the old data for the new.
    expect([look("old"), look("new")]).toEqual(["", ""]);

    move("old", "new");

    expect(treeOf(at("new"))).toEqual(treeOf(at("old")));
    expect([look("old"), look("new")]).toEqual(["", "here\n"]);
  });

  it("finds its own mark again when clearing was broken off", () => {
    writeFileSync(at("new", MARKER), "left:one");
    for (const part of ["state", "workspace"]) writeFileSync(at("new", `${part}/of old`), "stale");
    const bin = at("bin");
    mkdirSync(bin);
    // Removes what is in the first folder, and gets no further.
    const real = spawnSync("sh", ["-c", "command -v find"], { env: { PATH: path }, encoding: "utf8" }).stdout.trim();
    const first = at("new", "state");
    writeFileSync(
      join(bin, "find"),
      `#!/bin/sh\nfor each; do case "$each" in */workspace) ;; *) set -- "$@" "$each" ;; esac; shift; done\nPATH='${path}' '${real}' "$@"\nexit 1\n`,
      { mode: 0o755 },
    );
    expect(run("new", "clear", { PATH: `${bin}${delimiter}${path}` }).status).toBe(1);
    expect(readdirSync(first)).not.toContain("of old");
    expect(existsSync(at("new", "workspace/of old"))).toBe(true);

    move("old", "new");

    expect(treeOf(at("new"))).toEqual(treeOf(at("old")));
  });

  it("takes a tenant back to a host that it left, without what it forgot since", () => {
    move("old", "new");
    rmSync(at("new", "workspace/USER.md"));
    writeFileSync(at("new", "state/memory"), "remembered since");

    move("new", "old");

    expect(treeOf(at("old"))).toEqual(treeOf(at("new")));
    expect(existsSync(at("old", "workspace/USER.md"))).toBe(false);
    expect(readFileSync(at("old", "state/memory"), "utf8")).toBe("remembered since");
    expect([look("old"), look("new")]).toEqual(["here\n", ""]);
  });

  it("says nothing of data that is not the tenant's", () => {
    expect([look("old"), look("old", "two"), look("new")]).toEqual(["here\n", "", ""]);
  });
});
