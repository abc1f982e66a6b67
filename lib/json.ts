export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = Record<string, Json>;

/** Whether a value is an object with keys, not an array and not null. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Objects merge key by key, everything else is taken from `over`. Neither argument is changed. */
export function merge(base: JsonObject, over: JsonObject): JsonObject {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(merged, key) ? merged[key] : undefined;
    // Assigning "__proto__" would change the prototype instead of the content.
    Object.defineProperty(merged, key, {
      value: isObject(below) && isObject(value) ? merge(below, value) : value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return merged;
}

/** The same text for equal content, whatever order its keys were written in. Two spaces deep, with a final newline. */
export function stableJson(value: Json): string {
  return `${JSON.stringify(sorted(value), undefined, 2)}\n`;
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, sorted(value[key] ?? null)]),
  );
}
