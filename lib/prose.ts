/** A value as it stands in a text for people: between backticks, so that whoever shows the text can tell it from words. */
export function quoted(value: string): string {
  // Directions and line ends could make a name look like something else.
  return `\`${value
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll("`", "'")
    .trim()}\``;
}

/** "acme, globex and initech". Of many, the first and how many more. */
export function conjoin(names: readonly string[], most = Infinity): string {
  const rest = names.length - most;
  return new Intl.ListFormat("en-GB").format(rest > 0 ? [...names.slice(0, most), `${rest} more`] : names);
}

/** The same of values: "`acme`, `globex` and `initech`". */
export function conjoinQuoted(values: readonly string[], most?: number): string {
  return conjoin(values.map(quoted), most);
}

/** How many of something: "1 tenant", "3 tenants". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** MiB as people speak of memory: "1.5 GiB". */
export function gib(memoryMb: number): string {
  return `${(memoryMb / 1024).toFixed(1).replace(/\.0$/, "")} GiB`;
}
