import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { type HealthArgs, showHealth } from "../../tools/health-of-fleet.ts";

const STACK = "agency/openclaw-tenants/prod";
const tenant = (id: string, host: string, status = "active"): object => ({
  id,
  url: `https://${id}.example.com`,
  host,
  container: `openclaw-prod-${id}`,
  status,
});
const provider = (host: string): object => ({
  urn: `urn:pulumi:prod::openclaw-tenants::pulumi:providers:docker::${host}-docker`,
  type: "pulumi:providers:docker",
  inputs: { host: `ssh://deploy@${host}`, sshOpts: JSON.stringify(["-o", "BatchMode=yes"]) },
});

const UP: readonly [id: string, status: string][] = [
  ["acme", "Up 2 hours (healthy)"],
  ["globex", "Up 3 seconds (health: starting)"],
  ["hooli", "Up 2 hours (unhealthy)"],
  ["wayne", "Up 2 hours (healthy)"],
];

/** Programs in front of the real ones: an engine that knows a stack, and a way to a host whose Docker says how its gateways are. */
function writePrograms(dir: string, tenants: readonly object[]): void {
  const outputs = { tenants: Object.fromEntries(tenants.map((each) => [(each as { id: string }).id, each])) };
  writeFileSync(join(dir, "outputs.json"), JSON.stringify(outputs));
  writeFileSync(join(dir, "state.json"), JSON.stringify({ deployment: { resources: ["host-1", "host-2"].map(provider) } }));
  writeFileSync(join(dir, "ps"), UP.map(([id, status]) => `openclaw-prod-${id}\t${status}\n`).join(""));
  writeFileSync(join(dir, "stats"), UP.map(([id]) => `openclaw-prod-${id}\t400MiB / 1.5GiB\n`).join(""));
  const programs = {
    pulumi: `case "$*" in "stack output --json --stack ${STACK}") cat ${dir}/outputs.json;; "stack export --stack ${STACK}") cat ${dir}/state.json;; *) exit 9;; esac`,
    ssh: `case "$*" in *@host-2*) exit 255;; *"label=openclaw-tenants.stack=prod"*) cat ${dir}/ps;; *" docker stats "*) cat ${dir}/stats;; *) exit 9;; esac`,
  };
  for (const [name, script] of Object.entries(programs)) writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

describe("how every tenant of a stack is", () => {
  let dir: string;
  let said: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-health-"));
    said = "";
    vi.stubEnv("PATH", `${dir}:${process.env["PATH"] ?? ""}`);
    vi.spyOn(process.stdout, "write").mockImplementation((text) => ((said += String(text)), true));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    rmSync(dir, { recursive: true });
  });

  const run = async (tenants: readonly object[], more: Partial<HealthArgs> = {}): Promise<number> => {
    writePrograms(dir, tenants);
    return await showHealth({ projectDir: dir, stack: STACK, markdown: false, ...more });
  };
  const fleet = [
    tenant("acme", "host-1"),
    tenant("globex", "host-1"),
    tenant("hooli", "host-1"),
    tenant("initech", "host-1"),
    tenant("stark", "host-2"),
    tenant("umbrella", "host-2", "suspended"),
    tenant("wayne", "host-1", "suspended"),
  ];

  it("is told by its host, a line each, and somebody who is to be suspended and still runs is told to run", async () => {
    expect(await run(fleet)).toBe(1);
    expect(said.split("\n").map((line) => line.trimEnd())).toEqual([
      "tenant     URL                            health               memory in use / limit",
      "acme       https://acme.example.com       healthy              400MiB / 1.5GiB",
      "globex     https://globex.example.com     starting             400MiB / 1.5GiB",
      "hooli      https://hooli.example.com      unhealthy            400MiB / 1.5GiB",
      "initech    https://initech.example.com    not running          -",
      "stark      https://stark.example.com      host not answering   -",
      "umbrella   https://umbrella.example.com   suspended            -",
      "wayne      https://wayne.example.com      healthy              400MiB / 1.5GiB",
      "",
    ]);
  });

  it("is a table on GitHub, with links", async () => {
    expect(await run([tenant("acme", "host-1")], { markdown: true })).toBe(0);
    expect(said.split("\n").slice(0, 2)).toEqual(["| tenant | URL | health | memory in use / limit |", "| --- | --- | --- | --- |"]);
    expect(said).toMatch(/^\| acme \| https:\/\/acme\.example\.com \| healthy \| 400MiB \/ 1\.5GiB \|$/m);
  });

  it.each([
    ["acme", 0],
    ["globex", 1],
    ["hooli", 1],
    ["initech", 1],
    ["stark", 1],
    ["umbrella", 0],
  ])("decides over the exit code, of one alone where it is named: %s", async (id, code) => {
    expect(await run(fleet, { tenant: id })).toBe(code);
  });

  it("refuses to decide by somebody that there is not, once it has shown who there is", async () => {
    await expect(run([tenant("acme", "host-1")], { tenant: "acmee" })).rejects.toMatchObject({
      message: 'the stack has no tenant "acmee"',
      hint: "it has acme",
    });
    expect(said).toContain("https://acme.example.com");
  });

  it("is fine where all run or are suspended, and where there is nobody", async () => {
    expect(await run([tenant("acme", "host-1"), tenant("umbrella", "host-2", "suspended")])).toBe(0);
    expect(await run([])).toBe(0);
  });
});
