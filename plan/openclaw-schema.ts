import { readdirSync, readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";

import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";

import type { JsonObject } from "../lib/json.ts";

const folder = new URL("openclaw-schema/", import.meta.url);
const validators = new Map<string, Validator>();

/** Versions whose schema is kept here, as `openclaw config schema` prints it, compressed. */
export function keptVersions(): string[] {
  return readdirSync(folder)
    .map((file) => file.replace(/\.json\.br$/, ""))
    .toSorted();
}

/** The kept schema of a version. Throws when there is none. */
export function readSchema(version: string): Schema {
  return JSON.parse(brotliDecompressSync(readFileSync(new URL(`${version}.json.br`, folder))).toString("utf8")) as Schema;
}

/**
 * What that version of OpenClaw would refuse in a config, a line each: an unknown key is fatal at its next start. The schema is loaded only
 * when asked for.
 */
export function findConfigMistakes(version: string, config: JsonObject): string[] {
  let validator = validators.get(version);
  if (validator === undefined) {
    validator = new Validator(withoutDefaulted(readSchema(version)), "7", false);
    validators.set(version, validator);
  }
  const { errors } = validator.validate(config);
  const found = Map.groupBy(innermost(errors), ({ instanceLocation, keyword }) => `${instanceLocation} ${keyword === "const" ? "const" : ""}`);
  return [
    ...new Set(
      [...found.values()].flatMap((units) =>
        units.length > 1 && units.every(({ keyword }) => keyword === "const") ? [describeChoice(units)] : units.map(describe),
      ),
    ),
  ];
}

/** The schema describes a parsed config, where a field with a default is always there; in a file it may be absent. */
function withoutDefaulted(schema: Schema): Schema {
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  for (const value of Object.values(schema) as unknown[]) {
    for (const child of Array.isArray(value) ? value : [value]) if (typeof child === "object" && child !== null) withoutDefaulted(child as Schema);
  }
  if (Array.isArray(schema.required)) schema.required = schema.required.filter((name) => properties[name]?.["default"] === undefined);
  return schema;
}

/** Every object above a mistake is reported as well, and every union around it: only the deepest lines say anything. */
function innermost(errors: readonly OutputUnit[]): OutputUnit[] {
  return errors.filter(({ instanceLocation, keyword }) => {
    const isOutside = errors.some((other) => other.instanceLocation.startsWith(`${instanceLocation}/`));
    return !isOutside && !["anyOf", "oneOf", "allOf"].includes(keyword);
  });
}

/** A choice between values is a union of constants, and a mistake fails each of them. */
function describeChoice(units: readonly OutputUnit[]): string {
  const values = units.map(({ error }) => error.replace(/^Instance does not match (.*)\.$/, "$1"));
  return `${pathOf(units[0]?.instanceLocation ?? "")}: it must be one of ${values.join(", ")}`;
}

function pathOf(instanceLocation: string): string {
  return instanceLocation.replace(/^#\/?/, "").replaceAll("/", ".");
}

function describe({ instanceLocation, keyword, error }: OutputUnit): string {
  const path = pathOf(instanceLocation);
  if (keyword === "false" || keyword === "additionalProperties") return `${path}: OpenClaw does not know this key`;
  return `${path}: ${error.charAt(0).toLowerCase()}${error.slice(1).replace(/\.$/, "")}`;
}
