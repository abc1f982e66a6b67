import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const texts = ["README.md", ...readdirSync(join(root, "docs")).map((file) => join("docs", file))].map((file) => ({
  file,
  text: readFileSync(join(root, file), "utf8"),
}));
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };

describe("the README and the docs", () => {
  it("name only npm scripts that exist", () => {
    const named = texts.flatMap(({ text }) =>
      [...text.matchAll(/npm (?:run (?:-s )?([\w:-]+)|(start|test)\b)/g)].map(([, run, direct]) => run ?? direct ?? ""),
    );
    expect(named.length).toBeGreaterThan(10);
    for (const script of named) expect(Object.keys(scripts)).toContain(script);
  });

  it("link only to files that exist", () => {
    for (const { file, text } of texts) {
      for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
        expect(() => readFileSync(join(root, file, "..", target)), `${target} in ${file}`).not.toThrow();
      }
    }
  });
});
