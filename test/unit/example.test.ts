import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

import { parseSettings, Settings } from "../../plan/settings.ts";

const text = readFileSync(join(import.meta.dirname, "..", "..", "Pulumi.prod.yaml"), "utf8");

/** A key that is commented out. What is said about one ends with a full stop. */
const COMMENTED = /^(\s*)# (\s*[a-z][\w-]*:(?: .*[^.])?)$/;

const settingsOf = (yaml: string): unknown => (parse(yaml) as { config: Record<string, unknown> }).config["openclaw-tenants:settings"];
/** As it stands, and with every commented key put to work. */
const [live, full] = [text, text.replaceAll(new RegExp(COMMENTED, "gm"), "$1$2")].map(settingsOf);

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Keys of a schema that none of the values at its place has, by path. */
function missingKeys(schema: z.core.$ZodType, values: readonly unknown[], path = ""): string[] {
  const objects = values.filter(isObject);
  if ("innerType" in schema._zod.def) return missingKeys(schema._zod.def.innerType as z.core.$ZodType, values, path);
  if (schema instanceof z.ZodRecord)
    return missingKeys(
      schema.valueType,
      objects.flatMap((each) => Object.values(each)),
      `${path}.*`,
    );
  if (schema instanceof z.ZodDiscriminatedUnion)
    return schema.options.flatMap((option) =>
      missingKeys(
        option,
        objects.filter((each) => kindOf(option).safeParse(each["kind"]).success),
        path,
      ),
    );
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([key, child]) => {
    const present = objects.filter((each) => key in each);
    const place = `${path}.${key}`;
    return present.length === 0
      ? [place]
      : missingKeys(
          child as z.core.$ZodType,
          present.map((each) => each[key]),
          place,
        );
  });
}

function kindOf(option: z.core.$ZodType): z.ZodType {
  return option instanceof z.ZodObject ? (option.shape["kind"] as z.ZodType) : z.never();
}

/** Leaves of `shown`, by path, with what `used` has in their place; without those that it has nothing for. */
function leaves(shown: unknown, used: unknown, path = ""): [string, unknown, unknown][] {
  if (used === undefined) return [];
  if (isObject(shown) && isObject(used)) return Object.entries(shown).flatMap(([key, value]) => leaves(value, used[key], `${path}.${key}`));
  return [[path, shown, used]];
}

describe("the example of a production stack's settings", () => {
  it("is taken with everything that is commented out, too", () => {
    // Strict, so that a key nobody knows is refused.
    expect(() => parseSettings(full, "Pulumi.prod.yaml")).not.toThrow();
  });

  it("has every key there is", () => {
    expect(missingKeys(Settings, [full])).toEqual([]);
    // The walk would find what is missing, at every depth.
    expect(missingKeys(Settings, [live])).toEqual(expect.arrayContaining([".subnetPool", ".dns.proxied", ".hosts.*.rebootAt", ".hosts.*.edge"]));
  });

  it("shows the defaults where it comments them out", () => {
    const shown = leaves(full, parseSettings(live, "Pulumi.prod.yaml")).filter(([path]) => leaves(live, full).every(([each]) => each !== path));
    expect(shown.map(([path, value]) => [path, value])).toEqual(shown.map(([path, , used]) => [path, used]));
    expect(shown.map(([path]) => path)).toEqual(expect.arrayContaining([".dns.proxied", ".streamCloseDelaySeconds", ".hosts.host-1.reserveMb"]));
    expect(shown.length).toBeGreaterThanOrEqual(12);
  });
});
