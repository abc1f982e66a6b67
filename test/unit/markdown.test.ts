import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { quoted } from "../../lib/prose.ts";
import { renderTable, toMarkdown, toProse } from "../../templates/markdown.ts";

/** Without what stands in code, where nothing means anything. */
const outsideCode = (markdown: string): string => markdown.replaceAll(/`[^`]*`/g, "");

describe("a value", () => {
  it("is code, and cannot end it", () => {
    expect(toMarkdown(`hi ${quoted("a`b")}`)).toBe("hi `a'b`");
    expect(quoted("two\nlines\u202E\u0000x")).toBe("`two lines x`");
  });

  it("of any kind leaves nothing of itself outside its code", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (value) => {
        expect(outsideCode(toMarkdown(`before ${quoted(value)} after`))).toMatch(/^before {1,2}after$/);
      }),
    );
  });

  it("of any kind stays in its cell", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 4 }), (values) => {
        const [, , row = ""] = renderTable(values, [values.map(quoted)]);
        expect(row.replaceAll("\\|", "").split("|")).toHaveLength(values.length + 2);
        expect(row).not.toMatch(/[\n\r]/);
      }),
    );
  });
});

describe("words", () => {
  it("mean nothing to GitHub", () => {
    const text = "<b> *a* _b_ [c](d) @ann #1 https://evil.example | ~x~ $y$ \\z &amp; {{ }}";
    expect(toMarkdown(text)).toBe(
      "\\<b\\> \\*a\\* \\_b\\_ \\[c\\](d) @&#8203;ann #&#8203;1 https:\\//evil.example \\| \\~x\\~ \\$y\\$ \\\\z \\&amp; \\{\\{ \\}\\}",
    );
  });
});

describe("an error's words", () => {
  it("have their quoted values and commands as code", () => {
    expect(toProse("tenant \"acme\", field port 1: run `pulumi up`; set it with: pulumi config set --secret --path 'a.b'")).toBe(
      "tenant `acme`, field port 1: run `pulumi up`; set it with: `pulumi config set --secret --path 'a.b'`",
    );
    expect(toProse('a "quote \\" in it" and a stray `')).toBe("a `quote \\\" in it` and a stray '");
  });

  it("keep everything that stood in them", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const letters = (of: string): string => of.replaceAll(/[^a-z0-9]/gi, "");
        expect(letters(toProse(text))).toBe(letters(text));
      }),
    );
  });
});
