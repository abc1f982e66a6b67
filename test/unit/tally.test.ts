import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..");
let folder: string;

/** A project of its own with this one's vitest.config.ts, reporter and helper. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tally-"));
  mkdirSync(join(folder, "test", "unit"), { recursive: true });
  const files = ["vitest.config.ts", "Pulumi.prod.yaml", "test/support/tally.ts", "test/support/levels.ts"];
  for (const path of files) cpSync(join(root, path), join(folder, path), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Runs one test file there; what it says last and its exit code. */
function run(text: string, env: Record<string, string> = {}): { last: string[]; status: number | null } {
  writeFileSync(
    join(folder, "test", "unit", "case.test.ts"),
    `import { beforeAll, it } from "vitest";\nimport { describeWhere } from "../support/levels.ts";\n${text}\n`,
  );
  const { stdout, status } = spawnSync(process.execPath, [join(root, "node_modules", "vitest", "vitest.mjs"), "run"], {
    cwd: folder,
    env: { ...process.env, CI: "", NO_COLOR: "1", ...env },
    encoding: "utf8",
  });
  return { last: stdout.trimEnd().split("\n"), status };
}

const skipping = `
it("a", () => {});
describeWhere("whales", "no whales here", () => {
  beforeAll(() => { throw new Error("ran"); });
  it("b", () => {});
  it("c", () => {});
});
it.skip("d", () => {});
it("e", (context) => context.skip("no reason at all"));`;

describe("a run of the tests", () => {
  it("ends with the count alone on a line, and before it what could not run and why", () => {
    const { last, status } = run(skipping);
    expect(last.slice(-4)).toEqual([
      "not run: unit: no reason at all (1 test)",
      "not run: unit: no whales here (2 tests)",
      "not run: unit: test/unit/case.test.ts gives no reason (1 test)",
      "1 passed, 0 failed, 4 skipped",
    ]);
    expect(status).toBe(0);
  });

  it.each([
    ["one test", 'it.skip("a", () => {});'],
    ["a whole suite", skipping],
  ])("fails in CI when anything was skipped: %s", (_, text) => {
    const { last, status } = run(text, { CI: "true" });
    expect(last.at(-2)).toBe("CI is set, so a test that does not run is a failure");
    expect(status).toBe(1);
  });

  it("counts what breaks outside a test", () => {
    const { last, status } = run('it("a", () => {});\nvoid Promise.reject(new Error("nobody waits for me"));');
    expect(last.at(-1)).toBe("1 passed, 1 failed, 0 skipped");
    expect(status).toBe(1);
    expect(run('it("a", () => {});\nthrow new Error("broken file");').last.at(-1)).toBe("0 passed, 1 failed, 0 skipped");
  });
});
