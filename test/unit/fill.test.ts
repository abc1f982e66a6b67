import { describe, expect, it } from "vitest";

import { fill } from "../../templates/fill.ts";

describe("a template", () => {
  it("takes lines at the indentation of the first", () => {
    expect(fill("a {\n\t{{body}}\n}\n", { body: ["one", "\ttwo", "three"] })).toBe("a {\n\tone\n\t\ttwo\n\tthree\n}\n");
  });

  it("takes values within a line, and the same one more than once", () => {
    expect(fill("http://x:{{port}} {\n  delay {{port}}s\n", { port: ["80"] })).toBe("http://x:80 {\n  delay 80s\n");
  });

  it("takes what a value says to the letter", () => {
    expect(fill("{{value}}", { value: ["$& $1 {{value}}"] })).toBe("$& $1 {{value}}");
  });

  it("is not filled by halves", () => {
    expect(() => fill("{{one}} {{two}}", { one: ["1"], two: ["2"], three: ["3"] })).toThrow("the template has no {{three}}");
    expect(() => fill("{{one}}\n{{two}}", { one: ["1"] })).toThrow("the template asks for {{two}}, which nobody fills in");
    expect(() => fill("{{constructor}}", {})).toThrow("the template asks for {{constructor}}, which nobody fills in");
  });
});
