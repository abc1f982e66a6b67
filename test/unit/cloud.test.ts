import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type ExistingServer, findCloudMistakes, isRebuilding } from "../../plan/cloud.ts";
import type { HetznerSettings } from "../../plan/host-settings.ts";
import { account, hetznerHost, hetznerSettings, plan, running, tenant } from "../support/fleet.ts";

type HostOver = Parameters<typeof hetznerHost>[0];

function mistakes(over: HostOver, server: Partial<ExistingServer>, offers = account.offers): string[] {
  return findCloudMistakes(hetznerSettings({ hosts: { "host-1": hetznerHost(over) } }), { ...account, ...running(server).cloud, offers });
}

function parsed(over: HostOver): HetznerSettings {
  const host = hetznerSettings({ hosts: { "host-1": hetznerHost(over) } }).hosts["host-1"];
  if (host?.kind !== "hetzner") throw new Error("that is no server at Hetzner");
  return host;
}

const soldOut = account.offers.map((offer) => ({ ...offer, locations: offer.locations.map((place) => ({ ...place, available: false })) }));

describe("a server that runs", () => {
  it("is never held against what Hetzner sells today", () => {
    for (const offers of [soldOut, []]) expect(mistakes({}, {}, offers)).toEqual([]);
    expect(() => plan([tenant({ host: "host-1" })], { settings: hetznerSettings(), cloud: { ...account, ...running().cloud, offers: [] } })).not.toThrow();
  });

  it("may keep a word that it was built for", () => {
    expect(mistakes({ rebuild: "2026-12-24" }, { rebuild: "2026-12-24" }, [])).toEqual([]);
  });

  it("may change its type for another of its architecture that is sold, and grow its volume", () => {
    expect(mistakes({ serverType: "cx33", dataGb: 200 }, {})).toEqual([]);
  });

  it("may be built anew once nobody guards it, here and at Hetzner", () => {
    expect(mistakes({ rebuild: "2026-12-24", protected: false }, { isProtected: false })).toEqual([]);
    // On another architecture as well: all of it is new.
    expect(mistakes({ rebuild: "2026-12-24", protected: false, serverType: "cax31" }, { isProtected: false })).toEqual([]);
  });

  it("may have no volume yet", () => {
    expect(mistakes({ dataGb: 10 }, { dataGb: undefined })).toEqual([]);
  });
});

describe("a rebuild", () => {
  const server: ExistingServer = { serverType: "cx43", location: "fsn1", isProtected: false, rebuild: "2025-12-24", dataGb: 100 };

  it.each([
    ["another word than the server's", "2026-12-24", server, true],
    ["a word, and the server had none", "2026-12-24", { ...server, rebuild: undefined }, true],
    ["the server's own word", "2025-12-24", server, false],
    ["no word any more", undefined, server, false],
    ["a word, and there is no server yet", "2026-12-24", undefined, false],
  ] as const)("is asked for by %s", (_, rebuild, existing, expected) => {
    expect(isRebuilding(parsed(rebuild === undefined ? {} : { rebuild }), existing)).toBe(expected);
  });

  it("happens at most once for a word", () => {
    fc.assert(
      fc.property(fc.option(fc.constantFrom("a", "b"), { nil: undefined }), fc.constantFrom("a", "b"), (before, rebuild) => {
        const host = parsed({ rebuild });
        expect(isRebuilding(host, { ...server, rebuild: before })).toBe(before !== rebuild);
        expect(isRebuilding(host, { ...server, rebuild })).toBe(false);
      }),
    );
  });
});

describe("several servers", () => {
  it("are judged each by itself, and all in one run", () => {
    const hosts = { "host-1": hetznerHost({ dataGb: 50 }), "host-2": hetznerHost({ location: "nbg1", serverType: "cax31" }), "host-3": hetznerHost() };
    const found = findCloudMistakes(hetznerSettings({ hosts }), { ...account, ...running().cloud });
    expect(found).toEqual([
      expect.stringMatching(/^host "host-1", field dataGb 50: /),
      expect.stringMatching(/^host "host-2", field serverType "cax31": Hetzner does not sell it in nbg1/),
    ]);
  });
});
