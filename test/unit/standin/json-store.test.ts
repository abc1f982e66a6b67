import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { afterAll, describe, expect, it } from "vitest";

import { JsonStore } from "../../standin/json-store.ts";

const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-store-"));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe("a stand-in's memory", () => {
  it("loses no edit of many at once", async () => {
    const store = new JsonStore(join(dir, "many", "world.json"), { ids: [] as number[] });
    const edits = Array.from({ length: 50 }, (_, id) =>
      store.edit(async (world) => {
        await wait(1);
        world.ids.push(id);
        return id;
      }),
    );
    expect(await Promise.all(edits)).toEqual(store.read().ids);
    expect(readdirSync(join(dir, "many"))).toEqual(["world.json"]);
  });

  it("keeps what it knew when an edit fails, and goes on", async () => {
    const file = join(dir, "failing.json");
    const store = new JsonStore(file, { count: 0 });
    await store.edit((world) => {
      world.count = 1;
    });
    const failing = store.edit((world) => {
      world.count = 2;
      throw new Error("no room");
    });
    const next = store.edit((world) => (world.count += 10));
    await expect(failing).rejects.toThrow("no room");
    expect(await next).toBe(11);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ count: 11 });
  });

  it("sees what somebody else wrote between two edits", async () => {
    const file = join(dir, "edited.json");
    const store = new JsonStore(file, { count: 0 });
    await store.edit((world) => (world.count += 1));
    writeFileSync(file, JSON.stringify({ count: 5 }));
    expect(await store.edit((world) => (world.count += 1))).toBe(6);
  });
});
