import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findStockMistakes, type Offer } from "../../plan/stock.ts";

/** `fsn1` sells it, `fsn1-` is sold out, `fsn1!` withdraws it; both signs: withdrawn and gone. */
function offer(name: string, cores: number, memoryGb: number, places: string[], more: Partial<Offer> = {}): Offer {
  const locations = places.map((place) => ({ name: place.slice(0, 4), available: !place.includes("-"), isDeprecated: place.includes("!") }));
  return { name, cores, memoryMb: memoryGb * 1024, architecture: "x86", isDeprecated: false, locations, ...more };
}

const offers: Offer[] = [
  offer("ccx23", 4, 16, ["fsn1", "hel1", "nbg1"]),
  offer("ccx33", 8, 32, ["fsn1", "hel1", "nbg1"]),
  offer("cpx32", 4, 8, ["fsn1", "hel1", "nbg1"]),
  offer("cpx42", 8, 16, ["fsn1", "hel1", "nbg1"]),
  offer("cpx62", 16, 32, ["fsn1", "hel1", "nbg1-"]),
  offer("cx33", 4, 8, ["fsn1", "hel1-", "nbg1-"]),
  offer("cx43", 8, 16, ["fsn1-", "hel1", "nbg1"]),
  offer("cx42", 8, 16, ["fsn1-"], { isDeprecated: true }),
  offer("cax31", 8, 16, ["fsn1-", "hel1-", "nbg1"], { architecture: "arm" }),
  offer("cax41", 16, 32, ["fsn1", "hel1", "nbg1"], { architecture: "arm" }),
];

function stock(serverType: string, location = "fsn1", all = offers): string[] {
  return findStockMistakes([{ host: "host-1", serverType, location }], all);
}

describe("an order that Hetzner would refuse", () => {
  it("because the type is sold out there, names where it is sold and what fits instead, cheapest first", () => {
    expect(stock("cx43")).toEqual([
      'host "host-1", field serverType "cx43": it is sold out in fsn1; it is sold in hel1 and nbg1; fsn1 has cpx42 (16 GiB, 69.49 EUR a month), cpx62 (32 GiB, 129.99 EUR a month) and ccx33 (32 GiB, 138.49 EUR a month)',
    ]);
  });

  it("because the location does not sell the type, says so", () => {
    const all = [...offers.filter(({ name }) => name !== "cpx62"), offer("cpx62", 16, 32, ["hel1"])];
    expect(stock("cpx62", "fsn1", all)).toEqual([
      'host "host-1", field serverType "cpx62": Hetzner does not sell it in fsn1; it is sold in hel1; fsn1 has nothing of its architecture and size now',
    ]);
  });

  it("because the type is withdrawn, names no location that has it no more", () => {
    expect(stock("cx42")).toEqual([expect.stringMatching(/^host "host-1", field serverType "cx42": Hetzner has withdrawn it; fsn1 has cpx42 /)]);
    expect(stock("cx42", "hel1")).toEqual([expect.stringMatching(/: Hetzner has withdrawn it; hel1 has cx43 /)]);
  });

  it("because the type is withdrawn there only, says from where", () => {
    expect(stock("cpx32", "nbg1", [...offers.slice(3), offer("cpx32", 4, 8, ["fsn1", "nbg1-!"])])).toEqual([
      expect.stringContaining("Hetzner has withdrawn it from nbg1; it is sold in fsn1; nbg1 has cx43 "),
    ]);
  });

  it("because Hetzner has dropped the type, goes by what the table knows of it", () => {
    const all = offers.filter(({ name }) => name !== "cx43");
    expect(stock("cx43", "nbg1", all)).toEqual([expect.stringMatching(/: Hetzner has no such type; nbg1 has cpx42 \([^)]*\) and ccx33 \([^)]*\)$/)]);
  });

  it("because nobody knows the type, names all that are sold there", () => {
    expect(stock("cx99", "nbg1")).toEqual([
      'host "host-1", field serverType "cx99": Hetzner has no such type; nbg1 has cx43, cax31, cpx32, cax41, cpx42, ccx23 and ccx33',
    ]);
  });

  it("is proposed three other types at most, or told that there is none", () => {
    const all = [...offers, offer("ccx43", 16, 64, ["fsn1"])];
    expect(stock("cx43", "fsn1", all)).toEqual(stock("cx43"));
    expect(stock("cx99", "fsn1", [offer("cx33", 4, 8, ["fsn1-"])])).toEqual([expect.stringMatching(/: Hetzner has no such type; fsn1 has nothing now$/)]);
  });

  it("because there is no such location, names those there are", () => {
    expect(stock("cpx42", "fsn2")).toEqual(['host "host-1", field location "fsn2": Hetzner has no such location; there are fsn1, hel1 and nbg1']);
  });

  it("is proposed nothing of the other architecture, for images are built for one", () => {
    expect(stock("cax31")).toEqual([expect.stringMatching(/; it is sold in nbg1; fsn1 has cax41 \(32 GiB, 40\.99 EUR a month\)$/)]);
  });

  it("is proposed nothing with less memory or fewer cores", () => {
    const all = offers.map((each) => (each.name === "ccx23" ? offer("ccx23", 4, 16, ["fsn1-"]) : each));
    expect(stock("ccx23", "fsn1", all)).toEqual([expect.stringMatching(/sold out in fsn1; fsn1 has cpx42 \([^)]*\), cpx62 \([^)]*\) and ccx33 \([^)]*\)$/)]);
    expect(stock("cpx62", "nbg1")).toEqual([expect.stringMatching(/; it is sold in fsn1 and hel1; nbg1 has nothing of its architecture and size now$/)]);
  });

  it("is proposed what the table has no price for after what it has, by memory, and with no price", () => {
    const all = [...offers, offer("cpx71", 16, 64, ["fsn1"]), offer("cpx61", 16, 48, ["fsn1"])].filter(({ name }) => !/^ccx|cpx62/.test(name));
    expect(stock("cx43", "fsn1", all)).toEqual([
      expect.stringMatching(/fsn1 has cpx42 \(16 GiB, 69\.49 EUR a month\), cpx61 \(48 GiB\) and cpx71 \(64 GiB\)$/),
    ]);
  });

  it("is proposed nothing that Hetzner withdraws", () => {
    const all = [
      ...offers.filter(({ name }) => !/^(cpx42|cpx62)$/.test(name)),
      offer("cpx42", 8, 16, ["fsn1"], { isDeprecated: true }),
      offer("cpx62", 16, 32, ["fsn1!"]),
    ];
    expect(stock("cx43", "fsn1", all)).toEqual([expect.stringMatching(/; fsn1 has ccx33 \(32 GiB, 138\.49 EUR a month\)$/)]);
  });
});

describe("an order that Hetzner would take", () => {
  it("says nothing", () => {
    expect(stock("cx33")).toEqual([]);
    expect(stock("cax31", "nbg1")).toEqual([]);
  });

  it("says nothing either while a withdrawn type can still be ordered, so that its host can be rebuilt", () => {
    const all = [offer("cpx32", 4, 8, ["fsn1!"], { isDeprecated: true })];
    expect(stock("cpx32", "fsn1", all)).toEqual([]);
  });
});

describe("any orders and offers", () => {
  const places = fc.uniqueArray(fc.constantFrom("fsn1", "hel1", "nbg1", "fsn1-", "hel1-", "nbg1-", "fsn1!", "hel1-!"), {
    selector: (place) => place.slice(0, 4),
  });
  const type = fc.record({ cores: fc.constantFrom(2, 4, 8), memoryGb: fc.constantFrom(4, 8, 16), places, isArm: fc.boolean(), isDeprecated: fc.boolean() });
  const catalogues = fc
    .uniqueArray(fc.constantFrom("cx23", "cx33", "cx43", "cax21", "cpx32", "ccx13", "new1", "new2"), { minLength: 1 })
    .chain((names) =>
      fc.tuple(
        ...names.map((name) =>
          type.map(({ cores, memoryGb, places: sold, isArm, isDeprecated }) =>
            offer(name, cores, memoryGb, sold, { architecture: isArm ? "arm" : "x86", isDeprecated }),
          ),
        ),
      ),
    );
  const orders = fc.array(
    fc.record({ host: fc.constantFrom("a1", "b1"), serverType: fc.constantFrom("cx33", "cpx32", "new1", "old1"), location: fc.constantFrom("fsn1", "hel1") }),
  );

  it("give a line exactly for those that are not available, and what a line proposes can be ordered and stays", () => {
    fc.assert(
      fc.property(orders, catalogues, (wanted, all) => {
        const available = (name: string, location: string, lasting = false): boolean =>
          all.some(
            ({ name: each, isDeprecated, locations }) =>
              each === name &&
              !(lasting && isDeprecated) &&
              locations.some((place) => place.name === location && place.available && !(lasting && place.isDeprecated)),
          );
        for (const order of wanted) {
          const lines = findStockMistakes([order], all);
          expect(lines).toHaveLength(available(order.serverType, order.location) ? 0 : 1);
          const named = / has (.*)$/.exec(lines[0]?.split("; ").find((part) => part.startsWith(`${order.location} has`)) ?? "")?.[1] ?? "";
          for (const [name] of named.matchAll(/\b(cx|cax|cpx|ccx|new)\d+/g))
            expect(available(name, order.location, true), `${name} in: ${lines.join()}`).toBe(true);
        }
        expect(findStockMistakes(wanted, all)).toEqual(wanted.flatMap((order) => findStockMistakes([order], all)));
      }),
    );
  });
});
