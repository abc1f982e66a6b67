import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Json, type JsonObject, merge, stableJson } from "../../lib/json.ts";

const { object } = fc.letrec<{ object: JsonObject; value: Json }>((tie) => ({
  object: fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__", "constructor"), tie("value"), { maxKeys: 4 }),
  value: fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.string(), fc.array(tie("value"), { maxLength: 3 }), tie("object")),
}));

/** The same content with its keys written in the opposite order. */
function reordered(value: Json): Json {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, each]) => [key, reordered(each)]),
  );
}

describe("merge", () => {
  it("changes neither argument and takes every leaf of the second", () => {
    fc.assert(
      fc.property(object, object, (base, over) => {
        const before = [JSON.stringify(base), JSON.stringify(over)];
        const merged = merge(base, over);
        expect([JSON.stringify(base), JSON.stringify(over)]).toEqual(before);
        expect(JSON.stringify(merge(merged, over))).toBe(JSON.stringify(merged));
        expect(Object.keys(merged).toSorted()).toEqual([...new Set([...Object.keys(base), ...Object.keys(over)])].toSorted());
      }),
    );
  });

  it("keeps a prototype out of reach", () => {
    merge({}, JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as JsonObject);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("replaces a list as a whole", () => {
    expect(merge({ a: [1, 2], b: { c: 1 } }, { a: [3], b: { d: 2 } })).toEqual({ a: [3], b: { c: 1, d: 2 } });
  });
});

describe("stable JSON", () => {
  it("is the same for the same content, whatever the order of its keys, and means the same", () => {
    fc.assert(
      fc.property(object, (value) => {
        expect(stableJson(reordered(value))).toBe(stableJson(value));
        expect(JSON.parse(stableJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
