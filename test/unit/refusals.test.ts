import { describe, expect, it } from "vitest";

import { mistakesOf, plan, settings, tenant } from "../support/fleet.ts";
import { entries } from "./refusals/entries.ts";
import { fleets, past } from "./refusals/fleets.ts";
import { images, models } from "./refusals/images-and-models.ts";
import { overlays } from "./refusals/overlays.ts";
import { secrets } from "./refusals/secrets.ts";
import { settings as badSettings } from "./refusals/settings.ts";

const refusals = [...entries, ...images, ...models, ...fleets, ...past, ...secrets, ...overlays, ...badSettings];

describe("a bad list", () => {
  it.each(refusals)("refuses $name", ({ tenants = [tenant()], settings: over, over: rest = {}, line }) => {
    expect(mistakesOf(() => plan(tenants, { settings: settings(over), ...rest }))).toEqual([line]);
  });

  it("is one mistake away from a good one in every row", () => {
    expect(() => plan([tenant()])).not.toThrow();
    expect(new Set(refusals.map(({ name }) => name)).size).toBe(refusals.length);
    expect(new Set(refusals.map(({ line }) => line)).size).toBeGreaterThanOrEqual(40);
  });
});
