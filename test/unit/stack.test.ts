import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

import { UserError } from "../../lib/errors.ts";
import { readLibrary, readSeeds, readTenants } from "../../stack/files.ts";
import { reported, shortenFailure } from "../../stack/reported.ts";

const Project = z.object({ runtime: z.object({ options: z.object({ nodeargs: z.string() }) }) });

let root: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "stack-"));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

describe("a stack's list of tenants", () => {
  it("is the default export of tenants/<stack>.ts", async () => {
    write("tenants/prod.ts", "const list: unknown[] = [{ id: 'acme' }];\nexport default list;\n");
    expect(await readTenants(root, "prod")).toEqual([{ id: "acme" }]);
  });

  it("is asked for by name when there is none", async () => {
    await expect(readTenants(root, "prod")).rejects.toThrow(
      expect.objectContaining({ message: 'stack "prod" has no list of tenants', hint: "write tenants/prod.ts; tenants/local.ts shows how" }) as Error,
    );
  });

  it.each([
    ["is not TypeScript", "export default [\n  { id: 'acme' }\n  { id: 'globex' }\n];\n", "tenants/broken.ts cannot be read at line 3: Expected ',', got '{'"],
    ["names what is not there", "export default [\n  acme,\n];\n", "tenants/broken.ts cannot be read at line 2: acme is not defined"],
    [
      "imports what is not there",
      "import './nothing.ts';\n",
      "tenants/broken.ts cannot be read: Cannot find module 'tenants/nothing.ts' imported from tenants/broken.ts",
    ],
    ["has a secret in the wrong place", "throw new Error('no sk-canary-0123456789-canary here');\n", "tenants/broken.ts cannot be read at line 1: no ... here"],
  ])("is refused with the place when it %s", async (_, text, message) => {
    // Node reads a file once, whatever becomes of it.
    const folder = mkdtempSync(join(root, "list-"));
    mkdirSync(join(folder, "tenants"));
    writeFileSync(join(folder, "tenants", "broken.ts"), text);
    await expect(readTenants(folder, "broken")).rejects.toThrow(expect.objectContaining({ message }) as Error);
  });

  it("is refused when it is none", async () => {
    write("tenants/prod.ts", "export const tenants = [];\n");
    await expect(readTenants(root, "prod")).rejects.toThrow("tenants/prod.ts exports no list");
  });
});

describe("files on their way to a host", () => {
  it("are read sorted, with their content and whether they run", () => {
    write("tenants/acme/workspace/b.md", "b");
    write("tenants/acme/workspace/a/run.sh", "#!/bin/sh\n");
    chmodSync(join(root, "tenants/acme/workspace/a/run.sh"), 0o755);
    write("tenants/acme/workspace/.gitkeep", "");
    write("tenants/prod.ts", "");
    expect(readSeeds(root)).toEqual({
      acme: [
        { path: "a/run.sh", contentBase64: btoa("#!/bin/sh\n"), isExecutable: true },
        { path: "b.md", contentBase64: btoa("b"), isExecutable: false },
      ],
    });
  });

  it("of the library are skills, a folder each", () => {
    write("skills/greet/SKILL.md", "hello");
    write("skills/README.md", "not a skill");
    expect(readLibrary(root).names).toEqual(["greet"]);
    expect(readLibrary(root).files).toContainEqual({ path: "greet/SKILL.md", contentBase64: btoa("hello"), isExecutable: false });
  });

  it("may be missing altogether", () => {
    expect(readLibrary(root)).toEqual({ names: [], files: [] });
    expect(readSeeds(root)).toEqual({});
  });
});

describe("an operator's mistake", () => {
  it("reaches the engine as plain lines, hint included", async () => {
    const error = await reported(() => Promise.reject(new UserError("port 1 is taken", { hint: "take 2" }))).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect((error as Error).message).toBe("port 1 is taken\ntake 2");
  });

  it("is told apart from a bug, which keeps its stack", async () => {
    const bug = new TypeError("x is not a function");
    await expect(reported(() => Promise.reject(bug))).rejects.toBe(bug);
  });
});

describe("a resource that failed", () => {
  it("is told in one line and no stack, for the engine has told the reason", () => {
    const error = new Error(
      "resource acme-gateway [docker:index/container:Container] waits: resource acme-prepare [docker:index/container:Container] failed to register",
    );
    shortenFailure(error);
    expect(error.message).toBe("acme-prepare failed; what needs it waits for the next run");
    expect(pulumi.RunError.isInstance(error)).toBe(true);
  });

  it("is told once, also where Node finds that somebody took it late", () => {
    const { runtime } = Project.parse(parse(readFileSync(join(import.meta.dirname, "..", "..", "Pulumi.yaml"), "utf8")));
    const late = 'process.on("unhandledRejection", () => {}); const late = Promise.reject(new Error("late")); setTimeout(() => late.catch(() => {}), 10);';
    const warn = (...nodeArgs: string[]): string => spawnSync(process.execPath, [...nodeArgs, "--eval", late], { encoding: "utf8" }).stderr;
    expect(warn()).toContain("handled asynchronously");
    expect(warn(...runtime.options.nodeargs.split(" "))).toBe("");
  });

  it("is told apart from a bug, which is left alone", () => {
    const bug = new TypeError("x is not a function");
    shortenFailure(bug);
    expect([bug.message, pulumi.RunError.isInstance(bug)]).toEqual(["x is not a function", false]);
    expect(() => {
      shortenFailure("no error at all");
    }).not.toThrow();
  });
});
