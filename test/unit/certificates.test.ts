import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findEndings } from "../../plan/certificates.ts";

const NOW = new Date("2026-12-01T12:00:00Z");
const daysTo = (text: string): (number | undefined)[] => findEndings({ origin: text }, NOW).map(({ days }) => days);

describe("a certificate that ends", () => {
  it.each([
    ["2027-01-01T12:00:00Z", []],
    ["2027-01-01T11:59:59Z", [30]],
    ["2026-12-31T12:00:00Z", [30]],
    ["2026-12-02T12:00:00Z", [1]],
    ["2026-12-01T12:00:01Z", [0]],
    ["2026-12-01T11:59:59Z", [-1]],
    ["2041-11-26T12:00:00Z", []],
  ])("within thirty days is told, whole days before: %s", (text, days) => {
    expect(daysTo(text)).toEqual(days);
  });

  it("is understood in both ways that Cloudflare writes a time", () => {
    expect(findEndings({ a: "2026-12-24 12:00:00 +0000 UTC", b: "2026-12-24T12:00:00Z", c: "2041-11-26 12:00:00 +0000 UTC" }, NOW)).toEqual([
      { name: "a", on: "2026-12-24", days: 23 },
      { name: "b", on: "2026-12-24", days: 23 },
    ]);
  });

  it.each(["", "soon", "24.12.2026"])("is told as well when nobody can read its end: %j", (text) => {
    expect(findEndings({ origin: text }, NOW)).toEqual([{ name: "origin", on: text, days: undefined }]);
  });

  it("is never kept quiet once it is within thirty days, however it is written", () => {
    fc.assert(
      fc.property(fc.integer({ min: -400, max: 30 }), fc.boolean(), (days, asGo) => {
        const end = new Date(NOW.getTime() + days * 86_400_000).toISOString();
        expect(daysTo(asGo ? end.replace("T", " ").replace(/\.\d+Z$/, " +0000 UTC") : end)).toEqual([days]);
      }),
    );
  });
});
