/** Puts lines in place of `{{name}}`, at the indentation of the first. Throws when the template and the values do not match. */
export function fill(text: string, values: Readonly<Record<string, readonly string[]>>): string {
  const used = new Set<string>();
  const filled = text.replaceAll(/^([\t ]*)(.*?)\{\{(\w+)\}\}/gm, (_, indent: string, before: string, name: string) => {
    const lines = values[name];
    if (lines === undefined) throw new Error(`the template asks for {{${name}}}, which nobody fills in`);
    used.add(name);
    return `${indent}${before}${lines.join(`\n${indent}`)}`;
  });
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`the template has no {{${unused.join("}}, {{")}}}`);
  return filled;
}
