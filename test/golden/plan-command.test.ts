import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createRepository, git, type Repository, WHOLE_PROGRAM } from "../support/repository.ts";
import { changes } from "./changes.ts";

const { add, overfill } = changes;
if (add === undefined || overfill === undefined) throw new Error("these changes are what is tested here");

let repository: Repository;
/** Where the command may leave something, and must not. */
let scratch: string;

beforeAll(async () => {
  repository = await createRepository(add.before, add.after, WHOLE_PROGRAM);
  scratch = join(repository.dir, ".git", "scratch");
  mkdirSync(scratch);
});
afterAll(() => {
  repository.dispose();
});

/** As in a job that was given nothing: no credentials, no engine, no Docker, no home. */
async function run(...args: string[]): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  const env = { PATH: [dirname(process.execPath), "/usr/bin", "/bin"].join(":"), TMPDIR: scratch };
  const { exitCode, stdout, stderr } = await execa(process.execPath, [join(repository.dir, "tools", "main.ts"), "plan", ...args], {
    env,
    extendEnv: false,
    reject: false,
  });
  return { exitCode, stdout, stderr };
}

const expected = (name: string): string => readFileSync(join(import.meta.dirname, "expected", "comments", `${name}.md`), "utf8");
const preview = (name: string): string => join(import.meta.dirname, "previews", `${name}.json`);

/** The same change on a branch of its own, with something more. */
async function onBranch(name: string, edit: () => void): Promise<void> {
  await git(repository.dir, "checkout", "--quiet", "-B", name, "change");
  edit();
  await git(repository.dir, "add", "--all");
  await git(repository.dir, "commit", "--quiet", "--message", name);
}

function edit(file: string, change: (text: string) => string): void {
  const path = join(repository.dir, file);
  writeFileSync(path, change(readFileSync(path, "utf8")));
}

describe("npm run plan", () => {
  it("needs nothing but the repository, and leaves nothing behind", async () => {
    expect(await run("--base", "main", "--markdown")).toEqual({ exitCode: 0, stdout: expected("add").trimEnd(), stderr: "" });
    expect(readdirSync(scratch)).toEqual([]);
  });

  it("compares with main when nobody says otherwise, and names what is missing", async () => {
    const { stdout } = await run();
    expect(stdout).toMatch(/^Plan of prod, compared with main\n\nThis change adds hooli\.\n/);
    const { exitCode, stderr } = await run("--base", "nowhere");
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/^error: there is no nowhere here to compare with\n {2}fetch it/)]);
  });

  it("gives the comparison as data", async () => {
    const { stdout } = await run("--json");
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: "compared",
      base: "main",
      stack: "prod",
      tenants: [{ id: "hooli", kind: "added" }],
      hosts: [{ id: "host-1", before: { active: 3, usedMb: 7680 }, after: { active: 4, usedMb: 9728, roomMb: 13_420, eur: 25.41 } }],
    });
  });

  it("leaves out what others merged since the branch began", async () => {
    await git(repository.dir, "checkout", "--quiet", "main");
    edit("Pulumi.prod.yaml", (text) => text.replace("dataGb: 100", "dataGb: 200"));
    await git(repository.dir, "commit", "--quiet", "--all", "--message", "meanwhile");
    await git(repository.dir, "checkout", "--quiet", "change");
    expect((await run("--base", "main", "--markdown")).stdout).toBe(expected("add").trimEnd());
  });

  it("tells whom a change of the program restarts, and what it cannot tell", async () => {
    await onBranch("template", () => {
      edit("templates/openclaw.json5", (text) => text.replace(/^\{/m, '{ ui: { seamColor: "#00ff00" },'));
    });
    const rendered = await run("--json");
    expect(JSON.parse(rendered.stdout)).toMatchObject({
      interrupted: ["acme", "globex", "initech"],
      warnings: [
        {
          text: expect.stringMatching(/^the program itself changes in `templates\/openclaw\.json5`: `acme`, `globex` and `initech` restart, because/) as string,
        },
      ],
    });

    await onBranch("component", () => {
      edit("components/gateway.ts", (text) => `${text}\n`);
    });
    // Not committed yet, and part of what runs here.
    writeFileSync(join(repository.dir, "lib", "new.ts"), "");
    expect((await run()).stdout).toContain(
      "the program itself changes in components/gateway.ts and lib/new.ts: it writes the same openclaw.json for everybody. What it does otherwise",
    );
  });

  it("refuses what an update would refuse", async () => {
    await onBranch("overfull", () => {
      edit("tenants/prod.ts", () => `export default ${JSON.stringify(overfill.after.tenants)};\n`);
    });
    const { exitCode, stdout, stderr } = await run();
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error: the tenants list of stack "prod" has 1 mistake; nothing was changed:\n {2}- host "host-1" is full/);
  });

  it("guards what an engine's preview must not take away", async () => {
    expect(await run("--guard", preview("rebuild"))).toMatchObject({ exitCode: 1, stdout: 'the server of "host-1" ("host-1-server") is replaced' });
    expect(await run("--guard", preview("tenants"))).toMatchObject({ exitCode: 0, stdout: "", stderr: "nothing protected is replaced or deleted" });
  });
});
