import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { afterAll, describe, expect, it } from "vitest";

import { installStandIns } from "../../support/standins.ts";

const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-standins-"));
const home = join(dir, "home");
const realHome = join(dir, "real");
const REAL = ["plugins/resource-docker-v5.2.0/pulumi-resource-docker", "plugins/resource-random-v4.21.2/pulumi-resource-random"];

afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe("stand-ins for plug-ins", () => {
  it("need the real ones for what runs on this machine", () => {
    expect(() => {
      installStandIns({ home, realHome, node: process.execPath });
    }).toThrow(`${join(realHome, REAL[0] ?? "")} is missing`);
  });

  it("stand where the engine looks, say their port first, and end when the engine lets go of them", async () => {
    for (const path of REAL) {
      mkdirSync(join(realHome, path, ".."), { recursive: true });
      writeFileSync(join(realHome, path), "");
    }
    // Twice: a run may find what an earlier one left.
    for (let run = 1; run <= 2; run++) installStandIns({ home, realHome, node: process.execPath });
    for (const path of REAL) expect(readlinkSync(join(home, path))).toBe(join(realHome, path));

    const plugIn = spawn(join(home, "plugins/resource-tls-v5.6.1/pulumi-resource-tls"), ["127.0.0.1:1"], { stdio: ["pipe", "pipe", "inherit"] });
    const exit = once(plugIn, "exit");
    const [port] = (await once(createInterface({ input: plugIn.stdout }), "line")) as [string];
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    socket.destroy();
    plugIn.stdin.destroy();
    expect(await exit).toEqual([0, null]);
  });
});
