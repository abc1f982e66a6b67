import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { limitPids } from "../../../components/pids-limit.ts";
import { record } from "../../support/record.ts";

let folder: string;

/** Puts a `docker` first on PATH that writes down how it was called. */
function fakeDocker(exitCode: number): void {
  const file = join(folder, "docker");
  writeFileSync(file, `#!/bin/sh\nfor each; do printf '%s\\n' "$each"; done > '${folder}/said'\nexit ${exitCode}\n`);
  chmodSync(file, 0o755);
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"] ?? ""}`);
}

async function callHook(endpoint?: string): Promise<void> {
  const { value } = await record(() => limitPids("acme", { container: "openclaw-test-acme", pids: 256, connection: { endpoint } }));
  await value.callback({ urn: "urn", id: "id", name: "acme-gateway", type: "docker:index/container:Container" });
}

const said = (): string[] => readFileSync(join(folder, "said"), "utf8").trim().split("\n");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pids-limit-"));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe("the pids limit", () => {
  it("is set on the container just made", async () => {
    fakeDocker(0);
    await callHook();
    expect(said()).toEqual(["update", "--pids-limit", "256", "openclaw-test-acme"]);
  });

  it("is set where the host's Docker answers", async () => {
    fakeDocker(0);
    await callHook("ssh://root@server.example.com");
    expect(said()).toEqual(["--host", "ssh://root@server.example.com", "update", "--pids-limit", "256", "openclaw-test-acme"]);
  });

  it("fails the update when it cannot be set, and tells the command", async () => {
    fakeDocker(1);
    await expect(callHook()).rejects.toThrow(
      "container openclaw-test-acme runs without its pids limit; set it with: docker update --pids-limit 256 openclaw-test-acme",
    );
  });
});
