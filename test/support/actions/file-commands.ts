/** What a step wrote to GITHUB_OUTPUT or GITHUB_ENV: `name=value`, or `name<<end`, lines and `end`. Throws where GitHub fails the step. */
export function readPairs(text: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  const lines = text.split("\n");
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (line === "") continue;
    const [, name = "", sign, rest = ""] = /^(.+?)(=|<<)(.*)$/.exec(line) ?? [];
    if (sign === undefined || (sign === "<<" && rest === "")) throw new Error(`Invalid format '${line}'`);
    pairs[name] = sign === "=" ? rest : takeUntil(rest, lines);
  }
  return pairs;
}

function takeUntil(end: string, lines: string[]): string {
  const length = lines.indexOf(end);
  if (length === -1) throw new Error(`Matching delimiter not found '${end}'`);
  return lines
    .splice(0, length + 1)
    .slice(0, -1)
    .join("\n");
}
