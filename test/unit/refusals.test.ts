import { describe, expect, it } from "vitest";

import { account, mistakesOf, plan, settings, tenant } from "../support/fleet.ts";
import { entries } from "./refusals/entries.ts";
import { fleets, past } from "./refusals/fleets.ts";
import { accounts, servers } from "./refusals/hetzner.ts";
import { images, models } from "./refusals/images-and-models.ts";
import { overlays } from "./refusals/overlays.ts";
import { secrets } from "./refusals/secrets.ts";
import { settings as badSettings } from "./refusals/settings.ts";

const refusals = [...entries, ...images, ...models, ...fleets, ...past, ...secrets, ...overlays, ...badSettings, ...servers, ...accounts];

describe("a bad list", () => {
  it.each(refusals)("refuses $name", ({ tenants = [tenant()], settings: over, over: rest = {}, cloud, line }) => {
    expect(mistakesOf(() => plan(tenants, { settings: settings(over), cloud: { ...account, ...cloud }, ...rest }))).toEqual([line]);
  });

  it("is one mistake away from a good one in every row", () => {
    expect(() => plan([tenant()])).not.toThrow();
    expect(new Set(refusals.map(({ name }) => name)).size).toBe(refusals.length);
    expect(new Set(refusals.map(({ line }) => line)).size).toBeGreaterThanOrEqual(120);
  });
});
