import { z } from "zod";

import { isCredentialField } from "./credential.ts";
import { UserError } from "./errors.ts";
import { redact } from "./redact.ts";

/** Every mistake of one thing, a line each, with nothing between quotes that could be a credential. */
export class MistakesError extends UserError {
  /** What has them. */
  readonly what: string;
  readonly mistakes: readonly string[];

  constructor(what: string, mistakes: readonly string[]) {
    const count = mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`;
    // Somebody may have pasted a secret into any field.
    const told = mistakes.map((mistake) => mistake.replaceAll(/"[^"]*"/g, redact));
    super(`${what} has ${count}; nothing was changed:\n${told.map((mistake) => `  - ${mistake}`).join("\n")}`);
    this.what = what;
    this.mistakes = told;
  }
}

/** One line per issue of a failed parse: the field, the value found, and what is wrong with it. */
export function describeIssues(error: z.ZodError, schema: z.ZodType, input: unknown): string[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      const known = fieldsAt(schema, issue.path, input).join(", ");
      return issue.keys.map((key) => `field ${pathOf([...issue.path, key])}: no such field; the fields here are ${known}`);
    }
    const value = valueAt(input, issue.path);
    const field = issue.path.length === 0 ? "value" : `field ${pathOf(issue.path)}`;
    return [
      `${field}${value === undefined || mayBeSecret(issue.path, value) ? "" : ` ${show(value)}`}: ${value === undefined && issue.code === "invalid_type" ? "missing" : lowerFirst(issue.message)}`,
    ];
  });
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`)).join("");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, part) => (typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[part] : undefined), value);
}

/** Whether somebody may have written a secret where its name belongs. Names are told, to be corrected. */
function mayBeSecret(path: readonly PropertyKey[], value: unknown): boolean {
  const field = path.findLast((part) => typeof part === "string") ?? "";
  return (field === "env" || isCredentialField(field)) && !(typeof value === "string" && /^[a-z_]{1,32}$/i.test(value));
}

/** Short enough for one line, whatever was written. */
function show(value: unknown): string {
  const text = redact(JSON.stringify(value));
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Names of the fields that the object schema at `path` knows. */
function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[], input: unknown): string[] {
  let at: z.core.$ZodType = schema;
  for (const [index, part] of [...path, undefined].entries()) {
    while ("innerType" in at._zod.def) at = at._zod.def.innerType as z.core.$ZodType;
    if (at instanceof z.ZodDiscriminatedUnion) at = chosenOption(at, valueAt(input, path.slice(0, index))) ?? at;
    if (part === undefined) break;
    if (at instanceof z.ZodObject) at = at.shape[String(part)] as z.core.$ZodType;
    else if (at instanceof z.ZodArray) at = at.element;
    else if (at instanceof z.ZodRecord) at = at.valueType;
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

/** The option whose word the value says. */
function chosenOption({ options, def: { discriminator } }: z.ZodDiscriminatedUnion, value: unknown): z.core.$ZodType | undefined {
  const word = valueAt(value, [discriminator]);
  return options.find((option) => option instanceof z.ZodObject && z.safeParse(option.shape[discriminator] as z.core.$ZodType, word).success);
}
