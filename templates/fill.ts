import { ownValue } from "../lib/own.ts";

/** Puts lines in place of `{{name}}`, at the indentation of the first. Throws when the template and the values do not match. */
export function fill(text: string, values: Readonly<Record<string, readonly string[]>>): string {
  const used = new Set<string>();
  const filled = text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string, at: number) => {
    const lines = ownValue(values, name);
    if (lines === undefined) throw new Error(`the template asks for {{${name}}}, which nobody fills in`);
    used.add(name);
    const [indent] = /^[\t ]*/.exec(text.slice(text.lastIndexOf("\n", at) + 1)) ?? [""];
    return lines.join(`\n${indent}`);
  });
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`the template has no {{${unused.join("}}, {{")}}}`);
  return filled;
}
