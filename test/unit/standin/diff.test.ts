import { isDeepStrictEqual } from "node:util";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findChanges } from "../../standin/diff.ts";

const keyed = <T>(keys: string[], value: fc.Arbitrary<T>) => fc.dictionary(fc.constantFrom(...keys), value, { noNullPrototype: true });
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(fc.boolean(), fc.integer(), fc.string(), fc.array(tie("value"), { maxLength: 3 }), keyed(["a", "b", "c.d"], tie("value"))),
}));
const props = keyed(["size", "labels", "rules"], value);

describe("the differences of two sets of inputs", () => {
  it("are none exactly when both say the same", () => {
    fc.assert(
      fc.property(props, props, (olds, news) => {
        expect(findChanges(olds, news).length === 0).toBe(isDeepStrictEqual(olds, news));
        expect(findChanges(olds, structuredClone(olds))).toEqual([]);
      }),
    );
  });

  it("name the innermost place, in the engine's own spelling", () => {
    const olds = { labels: { "managed.by": "x", plain: "y" }, rules: [{ port: "22" }, { port: "80" }], size: 5 };
    const news = { labels: { "managed.by": "z", plain: "y" }, rules: [{ port: "22" }], fixed: "f", size: 5 };
    expect(findChanges(olds, news)).toEqual([
      { path: 'labels["managed.by"]', kind: "update", property: "labels" },
      { path: "rules[1]", kind: "delete", property: "rules" },
      { path: "fixed", kind: "add", property: "fixed" },
    ]);
  });
});
