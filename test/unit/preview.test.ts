import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it, vi } from "vitest";

import { NO_PREVIEW, parsePreview, type Preview, targetsOf, withPreview } from "../../plan/preview.ts";
import type { Comparison } from "../../templates/comparison.ts";
import { guard } from "../../tools/guard.ts";

const fileOf = (name: string): string => join(import.meta.dirname, "..", "golden", "previews", `${name}.json`);
const read = (name: string): Preview => parsePreview(readFileSync(fileOf(name), "utf8"));
/** Stands in the saved previews wherever the engine printed a property. */
const CANARY = "canary-0123456789";

const HOST_1 = [
  "an address of `host-1` (`host-1-ipv4`) is given up and stays behind",
  "an address of `host-1` (`host-1-ipv6`) is given up and stays behind",
  "the data volume of `host-1` (`host-1-data`) is given up and stays behind",
  "the host key of `host-1` (`host-1-host-key`) is deleted",
  "the server of `host-1` (`host-1-server`) is deleted",
];

describe("what the engine's preview would take away", () => {
  it.each([
    ["tenants", []],
    ["telemetry", []],
    // Lifting a protection deletes nothing.
    ["unprotect", []],
    ["rebuild", ["the server of `host-1` (`host-1-server`) is replaced"]],
    ["host-gone", HOST_1],
    // The engine stops at the first thing that is protected.
    ["host-gone-protected", ["the server of `host-1` (`host-1-server`) is deleted"]],
  ])("is named: %s", (name, guarded) => {
    expect(read(name).guarded).toEqual(guarded);
  });

  it("includes whatever is marked as protected, of any kind", () => {
    const urn = "urn:pulumi:prod::openclaw-tenants::openclaw:index:TenantStack$random:index/randomPassword:RandomPassword::acme-token";
    const step = { op: "delete", urn, oldState: { custom: true, protect: true } };
    expect(parsePreview(JSON.stringify({ steps: [step] })).guarded).toEqual(["`acme-token` is deleted"]);
    expect(parsePreview(JSON.stringify({ steps: [{ ...step, oldState: { custom: true } }] })).guarded).toEqual([]);
  });

  it("is found however the engine goes about it, and whatever it leaves out", () => {
    const urn = "urn:pulumi:prod::openclaw-tenants::openclaw:index:TenantStack$openclaw:index:HetznerHost$hcloud:index/server:Server::host-1-server";
    for (const ops of [["delete"], ["replace"], ["create-replacement", "replace", "delete-replaced"], ["update", "delete"], ["create", "delete"]])
      expect(parsePreview(JSON.stringify({ steps: ops.map((op) => ({ op, urn })) })).guarded).toHaveLength(1);
    for (const op of ["create", "update", "same", "refresh", "read"]) expect(parsePreview(JSON.stringify({ steps: [{ op, urn }] })).guarded).toEqual([]);
  });

  it("is told apart from the keys of certificates, which come and go with Cloudflare", () => {
    const parent = "urn:pulumi:prod::openclaw-tenants::openclaw:index:TenantStack$openclaw:index:OriginCertificate::prod-origin";
    const urn = `${parent.replace("::prod-origin", "")}$tls:index/privateKey:PrivateKey::prod-origin-key`;
    expect(parsePreview(JSON.stringify({ steps: [{ op: "delete", urn, oldState: { custom: true, parent } }] })).guarded).toEqual([]);
  });
});

describe("the engine's account", () => {
  it("counts each resource once, by whose it is, and what stays behind apart", () => {
    expect(read("tenants").account).toMatchObject({
      isComplete: true,
      shares: [
        { owner: "tenant `acme`", created: 0, updated: 0, replaced: 1, deleted: 0, kept: 0 },
        { owner: "tenant `globex`", created: 0, updated: 0, replaced: 0, deleted: 5, kept: 0 },
        { owner: "tenant `hooli`", created: 10, updated: 0, replaced: 0, deleted: 0, kept: 0 },
        { owner: "tenant `initech`", created: 0, updated: 0, replaced: 0, deleted: 8, kept: 2 },
        { owner: "host `host-1`", created: 0, updated: 0, replaced: 1, deleted: 0, kept: 0 },
      ],
    });
  });

  it("tells of every resource what becomes of it, and which inputs differ", () => {
    const { steps } = read("telemetry").account;
    expect(steps.find(({ name }) => name === "acme-gateway")).toEqual({
      fate: "replaced",
      type: "docker:Container",
      name: "acme-gateway",
      owner: "tenant `acme`",
      inputs: ["envs", "waitTimeout"],
      isKept: false,
      hasDirectory: false,
    });
    expect(read("tenants").account.steps.find(({ name }) => name === "initech-state")).toMatchObject({ fate: "deleted", isKept: true });
  });

  it("tells a volume that is a name for a directory from one that holds what is in it", () => {
    const volume = (inputs: object): unknown => {
      const urn = "urn:pulumi:prod::openclaw-tenants::docker:index/volume:Volume::acme-state";
      return parsePreview(JSON.stringify({ steps: [{ op: "delete", urn, oldState: { custom: true, inputs } }] })).account.steps[0]?.hasDirectory;
    };
    expect(volume({ name: "acme", driver: "local", driverOpts: { type: "none", o: "bind", device: "/srv" } })).toBe(true);
    expect([volume({ name: "acme" }), volume({ driverOpts: { o: "size=1g" } }), volume({ driverOpts: [] })]).toEqual([false, false, false]);
  });

  it("says whether it got to its end", () => {
    expect(read("rebuild").account.isComplete).toBe(true);
    expect(read("host-gone-protected").account.isComplete).toBe(false);
  });

  it("counts a replacement that is made of three steps as one", () => {
    const urn = "urn:pulumi:prod::openclaw-tenants::openclaw:index:TenantStack$openclaw:index:Edge$docker:index/container:Container::host-1-load";
    const steps = ["create-replacement", "replace", "delete-replaced"].map((op) => ({ op, urn, oldState: { custom: true } }));
    expect(parsePreview(JSON.stringify({ steps })).account.shares).toEqual([{ owner: "all", created: 0, updated: 0, replaced: 1, deleted: 0, kept: 0 }]);
  });

  it("names the tenants whose gateway is replaced", () => {
    expect(read("tenants").restarted).toEqual(["acme"]);
    expect(read("telemetry").restarted).toEqual(["acme", "globex", "initech", "umbrella"]);
  });

  it("never has the value of a property", () => {
    for (const name of ["host-gone", "host-gone-protected", "rebuild", "telemetry", "tenants", "unprotect"]) {
      expect(readFileSync(fileOf(name), "utf8")).toContain(CANARY);
      expect(JSON.stringify(read(name))).not.toContain(CANARY);
    }
  });

  it.each(["", "{", `"${CANARY}"`, `{"steps": [{"op": 1, "urn": "${CANARY}"}]}`])("is refused without showing it when it is none: %s", (text) => {
    expect(() => parsePreview(text)).toThrow("this is no preview of the engine's");
    expect(() => parsePreview(text)).not.toThrow(CANARY);
  });
});

describe("a comparison", () => {
  const comparison: Comparison = { stack: "prod", summary: [], interrupted: ["acme", "globex"], warnings: [], tenants: [], hosts: [], settings: [] };

  it("gets a warning of whoever restarts by the engine's account alone", () => {
    expect(withPreview(comparison, read("tenants")).warnings).toEqual([]);
    expect(withPreview(comparison, read("telemetry")).warnings).toEqual([
      { level: "notice", text: "by the engine's account `initech` and `umbrella` restart as well" },
    ]);
  });

  it("is not calmer because the engine said nothing", () => {
    expect(withPreview(comparison, NO_PREVIEW).warnings).toEqual([{ level: "danger", text: "the engine's preview did not get to its end; its log says why" }]);
  });
});

describe("the guard", () => {
  function run(name: string): { exitCode: number; said: string } {
    const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    try {
      const exitCode = guard(fileOf(name));
      return { exitCode, said: written.mock.calls.map(([text]) => String(text)).join("") };
    } finally {
      written.mockRestore();
    }
  }

  it("lets pass what takes nothing away", () => {
    expect(run("tenants")).toEqual({ exitCode: 0, said: "" });
  });

  it("stops at a server that is replaced, and names it", () => {
    expect(run("rebuild")).toEqual({ exitCode: 1, said: 'the server of "host-1" ("host-1-server") is replaced\n' });
  });

  it("is told which file is not there", () => {
    expect(() => guard("nowhere.json")).toThrow("nowhere.json cannot be read");
  });

  it("names nothing of a preview that did not get to its end, so that nothing can be allowed", () => {
    expect(() => run("host-gone-protected")).toThrow("the preview did not get to its end");
  });
});

describe("targets of one tenant", () => {
  const targets = (id: string, hosts: readonly string[]): string[] =>
    targetsOf(readFileSync(fileOf("tenants"), "utf8"), { id, hosts })
      .map((urn) => urn.split("::").at(-1) ?? "")
      .toSorted();

  it("are what becomes of it, and the routes of its host", () => {
    expect(targets("acme", ["host-1"])).toEqual(["acme-gateway", "host-1-load"]);
    expect(targets("hooli", ["host-1"])).toContain("hooli-gateway");
    expect(targets("hooli", ["host-1"]).filter((name) => !name.startsWith("hooli"))).toEqual(["host-1-load"]);
  });

  it("are none when nothing of it changes", () => {
    expect(targets("umbrella", ["host-1"])).toEqual([]);
  });

  it("are none of a preview that did not get to its end", () => {
    expect(() => targetsOf(readFileSync(fileOf("host-gone-protected"), "utf8"), { id: "acme", hosts: [] })).toThrow("did not get to its end");
  });
});
