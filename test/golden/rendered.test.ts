import { readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { planFleet } from "../../plan/fleet.ts";
import { fleets } from "./fleets.ts";

const expected = join(import.meta.dirname, "expected");

/** Every file that a fleet's plan brings to its hosts, by its path in expected/. */
function renderedFiles(): Record<string, string> {
  const files = Object.entries(fleets).flatMap(([name, input]) =>
    planFleet(input).hosts.flatMap(({ id, routes, tenants }) => [
      [`${name}/${id}.Caddyfile`, routes],
      ...tenants.filter(({ status }) => status === "active").map((tenant) => [`${name}/${tenant.id}.openclaw.json`, tenant.configFile.text]),
    ]),
  );
  return Object.fromEntries(files) as Record<string, string>;
}

describe("what a plan renders", () => {
  it.each(Object.entries(renderedFiles()))("is %s to the byte", async (path, text) => {
    await expect(text).toMatchFileSnapshot(join(expected, path));
  });

  it("is all there is in expected/", () => {
    // User data and comments have tests of their own.
    const files = readdirSync(expected, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !/\.(md|yaml)$/.test(entry.name));
    const paths = files.map(({ parentPath, name }) => join(parentPath, name).slice(expected.length + 1));
    expect(paths.toSorted()).toEqual(Object.keys(renderedFiles()).toSorted());
  });
});
