import type { Props } from "./properties.ts";

export interface Change {
  /** As the engine writes it: `rules[0].port`, `labels["managed.by"]`. */
  path: string;
  kind: "add" | "delete" | "update";
  /** Top-level property the path starts at. */
  property: string;
}

/** Every place where two sets of properties differ, as deep as both have something there. */
export function findChanges(olds: Props, news: Props): Change[] {
  return keysOf(olds, news).flatMap((property) => within(step("", property), olds[property], news[property]).map((change) => ({ ...change, property })));
}

function within(path: string, old: unknown, now: unknown): Omit<Change, "property">[] {
  if (old === now) return [];
  if (old === undefined) return [{ path, kind: "add" }];
  if (now === undefined) return [{ path, kind: "delete" }];
  if (Array.isArray(old) && Array.isArray(now)) {
    const length = Math.max(old.length, now.length);
    return Array.from({ length }, (_, index) => within(`${path}[${index}]`, old[index], now[index])).flat();
  }
  if (isProps(old) && isProps(now)) return keysOf(old, now).flatMap((key) => within(step(path, key), old[key], now[key]));
  return [{ path, kind: "update" }];
}

function isProps(value: unknown): value is Props {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keysOf(olds: Props, news: Props): string[] {
  return [...new Set([...Object.keys(olds), ...Object.keys(news)])];
}

function step(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}
