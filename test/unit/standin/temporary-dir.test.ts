import { existsSync } from "node:fs";
import { join } from "node:path";

import { execa } from "execa";
import { describe, expect, it } from "vitest";

import { withTemporaryDir } from "../../standin/temporary-dir.ts";

const MODULE = join(import.meta.dirname, "..", "..", "standin", "temporary-dir.ts");

describe("a stand-in's temporary folder", () => {
  it("goes with what it was lent for, failed or not", async () => {
    const dirs: string[] = [];
    const use = (dir: string): Promise<never> => {
      dirs.push(dir);
      expect(existsSync(dir)).toBe(true);
      return Promise.reject(new Error("failed"));
    };
    await expect(withTemporaryDir("test", use)).rejects.toThrow("failed");
    expect(dirs.map(existsSync)).toEqual([false]);
  });

  it("goes with the process that is ended in the middle", async () => {
    const program = `const { withTemporaryDir } = await import(${JSON.stringify(MODULE)});
      withTemporaryDir("test", async (dir) => { process.stdout.write(dir); process.exit(); });
      await new Promise(() => {});`;
    const { stdout } = await execa(process.execPath, ["--input-type=module", "--eval", program]);
    expect(stdout).toMatch(/openclaw-tenants-test-/);
    expect(existsSync(stdout)).toBe(false);
  });
});
