import { readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { plan } from "../../tools/plan.ts";
import { CANARY, createRepository } from "../support/repository.ts";
import { changes } from "./changes.ts";

const expected = join(import.meta.dirname, "expected", "comments");
const previewOf = (name: string): string => join(import.meta.dirname, "previews", `${name}.json`);

/** Changes that no update would take. */
const REFUSED = [
  "broken-file",
  "broken-list",
  "move-unsaid",
  "overfill",
  "rebuild-protected",
  "rebuild-unquoted",
  "secret-in-list",
  "secret-in-settings",
  "shrink",
];

describe("the comment on a change", () => {
  it.each(Object.entries(changes))("is %s.md to the byte", async (name, { before, after, preview }) => {
    const repository = await createRepository(before, after);
    try {
      const args = { projectDir: repository.dir, stack: "prod", base: "main", preview: preview === undefined ? undefined : previewOf(preview) };
      const { text, exitCode } = await plan({ ...args, form: "markdown" });
      await expect(text).toMatchFileSnapshot(join(expected, `${name}.md`));
      expect(exitCode).toBe(REFUSED.includes(name) ? 1 : 0);
      expect(text).not.toContain(CANARY);
    } finally {
      repository.dispose();
    }
  });

  it.each([
    ["broken-list", "refused", 1],
    ["unreadable-before", "incomparable", 0],
  ])("has its mistakes as data as well: %s", async (name, outcome, exitCode) => {
    const { before, after } = changes[name] ?? never(name);
    const repository = await createRepository(before, after);
    try {
      const made = await plan({ projectDir: repository.dir, stack: "prod", base: "main", form: "json" });
      expect(made.exitCode).toBe(exitCode);
      expect(JSON.parse(made.text)).toMatchObject({
        outcome,
        stack: "prod",
        base: "main",
        mistakes: expect.arrayContaining([expect.stringContaining("acme")]) as unknown,
      });
    } finally {
      repository.dispose();
    }
  });

  it("is all there is in expected/comments/", () => {
    const files = Object.keys(changes).map((name) => `${name}.md`);
    expect(readdirSync(expected).toSorted()).toEqual(files.toSorted());
  });
});

function never(name: string): never {
  throw new Error(`there is no change ${name}`);
}
