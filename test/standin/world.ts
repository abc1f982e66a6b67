import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import type { Props } from "./properties.ts";

/** Something that exists in a simulated account. */
export interface Item {
  type: string;
  name: string;
  labels: Record<string, string>;
  /** What was asked for last. A test may change it, as somebody in a web console does. */
  inputs: Props;
  /** What the API adds of its own. */
  outputs: Props;
}

/** One call of the API. */
export interface Call {
  on: "create" | "read" | "update" | "delete" | "list" | "shutdown" | "powerOff" | "powerOn";
  /** `Server`, or the function's name for a list. */
  type: string;
  name: string;
  /** Method and address, where errors tell them. */
  request?: string;
  /** What it was answered, when that was an error. */
  error?: string;
}

/** All that an account holds. */
export interface Records {
  items: Record<string, Item>;
  log: Call[];
  /** The last number given out of each kind. */
  counters: Record<string, number>;
}

/** The folder of the world that this process serves. */
export function findWorld(): string {
  const world = process.env["STANDIN_WORLD"] ?? "";
  if (world === "") throw new Error("STANDIN_WORLD names no folder; set it to where the simulated clouds are kept");
  return world;
}

/** Does `work` while no other process does so in this world. */
export function exclusively<T>(world: string, work: () => T): T {
  mkdirSync(world, { recursive: true });
  // SQLite's lock belongs to the process, so the system drops it even after SIGKILL. Held for a moment only: the wait may well block everything.
  const lock = new DatabaseSync(join(world, "lock.db"));
  try {
    lock.exec("PRAGMA busy_timeout = 30000; BEGIN EXCLUSIVE");
    return work();
  } finally {
    lock.close();
  }
}

/** What a file of the world says, or `otherwise`. */
export function readJson<T>(world: string, file: string, otherwise: T): T {
  const path = join(world, file);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T) : otherwise;
}

/** Writes a file of the world, whole or not at all. */
export function writeJson(world: string, file: string, content: unknown): void {
  mkdirSync(world, { recursive: true });
  const path = join(world, file);
  writeFileSync(`${path}.new`, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** All that an account of the world holds. */
export function readRecords(world: string, api: string): Records {
  return readJson<Records>(world, `${api}.json`, { items: {}, log: [], counters: {} });
}

/** Takes an item out of an account. */
export function dropItem({ items }: Records, id: string | number): void {
  Reflect.deleteProperty(items, id);
}

/** The next number of a kind; none is given out twice, so that a thing made anew never looks like the old one. */
export function count(records: Records, kind: string, first = 1): number {
  const number = (records.counters[kind] ?? first - 1) + 1;
  records.counters[kind] = number;
  return number;
}
