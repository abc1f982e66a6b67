/** A record's own value under a key, never one that every object inherits: "constructor" is a fine id for a tenant. */
export function ownValue<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
