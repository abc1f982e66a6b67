import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { describeType, findServerType, monthlyCost, SERVER_TYPES, suggestTypes, usableMemoryMb } from "../../plan/server-types.ts";

const names = (types: { name: string }[]): string[] => types.map(({ name }) => name);
const lineOf = (name: string): string => /^[a-z]+/.exec(name)?.[0] ?? "";

describe("the table of server types", () => {
  it("has each type once, under the name that Hetzner's API uses", () => {
    expect(new Set(names([...SERVER_TYPES])).size).toBe(SERVER_TYPES.length);
    for (const { name } of SERVER_TYPES) expect(name).toMatch(/^(cx|cpx|cax|ccx)\d\d$/);
    expect(findServerType("ccx23")).toEqual({ name: "ccx23", cores: 4, memoryMb: 16_384, diskGb: 160, architecture: "x86", eurPerMonth: 85.99 });
    expect(findServerType("cx42")).toBeUndefined();
  });

  it("knows the Ampere line, and no other, as arm", () => {
    expect(names(SERVER_TYPES.filter(({ architecture }) => architecture === "arm"))).toEqual(["cax11", "cax21", "cax31", "cax41"]);
  });

  it("asks more for more of the same line, so that no two figures were swapped", () => {
    for (const types of Map.groupBy(SERVER_TYPES, ({ name }) => lineOf(name)).values()) {
      for (const [index, larger] of types.slice(1).entries()) {
        const smaller = types[index];
        expect(smaller).toBeDefined();
        for (const field of ["cores", "memoryMb", "diskGb", "eurPerMonth"] as const)
          expect(larger[field], `${field} of ${larger.name}`).toBeGreaterThan(smaller?.[field] ?? NaN);
      }
    }
  });
});

describe("the memory that a server's system sees", () => {
  it.each([
    [4096, 3814],
    [8192, 7751],
    // Seen as 15.2 GiB, which is no more than this.
    [16_384, 15.25 * 1024],
  ])("of %i MiB is never taken for more than the %i that were seen, nor for much less", (nominalMb, seenMb) => {
    expect(usableMemoryMb(nominalMb)).toBeLessThanOrEqual(seenMb);
    expect(usableMemoryMb(nominalMb)).toBeGreaterThan(seenMb * 0.98);
  });
});

describe("suggested types", () => {
  it("are the cheapest of each line, cheapest first", () => {
    expect(names(suggestTypes({ memoryMb: 6144, architecture: "x86" }))).toEqual(["cx33", "cpx32", "ccx13"]);
    expect(names(suggestTypes({ memoryMb: 20_000, architecture: "x86" }))).toEqual(["cx53", "cpx52", "ccx33"]);
    expect(names(suggestTypes({ memoryMb: 6144, architecture: "arm" }))).toEqual(["cax21"]);
  });

  it("count the memory that is left of what the price list says", () => {
    expect(names(suggestTypes({ memoryMb: 8192, architecture: "x86" }))).toEqual(["cx43", "cpx42", "ccx23"]);
  });

  it("have the cores that are asked for, and are no more than asked for", () => {
    expect(names(suggestTypes({ memoryMb: 1024, cores: 6, architecture: "x86" }, 2))).toEqual(["cx43", "cpx42"]);
    expect(names(suggestTypes({ memoryMb: 1024, cores: 20, architecture: "x86" }))).toEqual(["ccx53"]);
    expect(suggestTypes({ memoryMb: 1024, cores: 20, architecture: "arm" })).toEqual([]);
  });

  it("always fit, and nothing cheaper of their line does", () => {
    const needs = fc.record({
      memoryMb: fc.integer({ min: 0, max: 250_000 }),
      cores: fc.integer({ min: 1, max: 60 }),
      architecture: fc.constantFrom("x86" as const, "arm" as const),
    });
    fc.assert(
      fc.property(needs, (need) => {
        const fits = (type: (typeof SERVER_TYPES)[number]): boolean =>
          type.architecture === need.architecture && type.cores >= need.cores && usableMemoryMb(type.memoryMb) >= need.memoryMb;
        const suggested = suggestTypes(need, 9);
        const lines = new Set(SERVER_TYPES.filter(fits).map(({ name }) => lineOf(name)));
        expect(suggested.every(fits)).toBe(true);
        expect(suggested.map(({ name }) => lineOf(name)).toSorted()).toEqual([...lines].toSorted());
        expect(suggested).toEqual(suggested.toSorted((a, b) => a.eurPerMonth - b.eurPerMonth));
        for (const { name, eurPerMonth } of suggested)
          expect(SERVER_TYPES.filter((type) => fits(type) && lineOf(type.name) === lineOf(name) && type.eurPerMonth < eurPerMonth)).toEqual([]);
      }),
    );
  });
});

describe("a type in a message", () => {
  it("carries its price where that is known", () => {
    expect(describeType({ name: "cx43", memoryMb: 16_384 }, "hel1")).toBe("cx43 (16 GiB, 15.99 EUR a month)");
    expect(describeType({ name: "ccx23", memoryMb: 16_384 }, "ash")).toBe("ccx23 (16 GiB)");
    expect(describeType({ name: "cpx41", memoryMb: 16_384 }, "fsn1")).toBe("cpx41 (16 GiB)");
  });
});

describe("the cost of a host", () => {
  it("is server, backups, IPv4 and volume", () => {
    expect(monthlyCost({ serverType: "cpx32", dataGb: 0, backups: false })).toBe(35.99);
    expect(monthlyCost({ serverType: "cpx32", dataGb: 100, backups: false })).toBe(41.71);
    expect(monthlyCost({ serverType: "cpx32", dataGb: 100, backups: true })).toBe(48.81);
  });

  it("is refused for a type without a price, with those that have one", () => {
    expect(() => monthlyCost({ serverType: "cx42", dataGb: 10, backups: true })).toThrow(/^server type "cx42" has no price here; there are cx23, .*ccx63$/);
  });
});
