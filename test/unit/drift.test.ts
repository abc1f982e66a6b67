import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { EngineAccount, EngineStep } from "../../templates/comparison.ts";
import { renderDrift } from "../../templates/drift.ts";
import { showDrift } from "../../tools/drift.ts";

const NOTHING: EngineAccount = { isComplete: true, shares: [], steps: [] };
const step = (more: Partial<EngineStep>): EngineStep => ({
  fate: "updated",
  type: "docker:Container",
  name: "acme-gateway",
  owner: "tenant `acme`",
  inputs: [],
  isKept: false,
  hasDirectory: false,
  ...more,
});
const render = (engine: Partial<EngineAccount>, certificates: Parameters<typeof renderDrift>[0]["certificates"] = []): string =>
  renderDrift({ stack: "prod", engine: { ...NOTHING, ...engine }, certificates });

describe("what differs", () => {
  it("is nothing to speak of when nothing does", () => {
    expect(render({})).toBe("");
  });

  it("is not known when the look did not get to its end", () => {
    expect(render({ isComplete: false })).toBe("**The look did not get to its end, so nobody knows all that differs.** Its log says why.\n");
  });

  it.each<[string, Partial<EngineStep>, boolean]>([
    ["a gateway that stopped", { fate: "replaced", inputs: ["mustRun", "ports"] }, true],
    ["a gateway that is not there", { fate: "created" }, true],
    ["a Caddy that is not there", { fate: "created", name: "host-1-edge" }, true],
    ["a gateway with another image", { fate: "replaced", inputs: ["image"] }, false],
    ["a container that never runs", { fate: "created", name: "acme-config" }, false],
    ["a volume of that name", { fate: "created", type: "docker:Volume" }, false],
  ])("says first who is down: %s", (_, more, isDown) => {
    const text = render({ steps: [step(more)] });
    expect(text.includes(`\n**Not running: \`${more.name ?? "acme-gateway"}\`.**\n`)).toBe(isDown);
    expect(text.includes("Not running")).toBe(isDown);
  });

  it("tells when certificates end, in words", () => {
    const end = (days: number | undefined): string => render({}, [{ name: "origin", on: "2026-12-24", days }]).split(" docs/")[0] ?? "";
    expect([23, 1, 0, -3, undefined].map(end)).toEqual([
      "The certificate `origin` ends on 2026-12-24, in 23 days.",
      "The certificate `origin` ends on 2026-12-24, in 1 day.",
      "The certificate `origin` ends on 2026-12-24, in 0 days.",
      "The certificate `origin` ended on 2026-12-24.",
      "The certificate `origin` has an end that cannot be read, `2026-12-24`.",
    ]);
  });
});

describe("the command", () => {
  let dir: string;
  let said: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-drift-"));
    said = "";
    vi.spyOn(process.stdout, "write").mockImplementation((text) => ((said += String(text)), true));
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(dir, { recursive: true });
  });

  const run = (preview: object, certificates?: object): number => {
    const [previewFile, certificatesFile] = [join(dir, "preview.json"), join(dir, "certificates.json")];
    writeFileSync(previewFile, JSON.stringify(preview));
    if (certificates !== undefined) writeFileSync(certificatesFile, JSON.stringify(certificates));
    return showDrift({ stack: "prod", preview: previewFile, certificates: certificates === undefined ? undefined : certificatesFile });
  };
  const urn = "urn:pulumi:prod::openclaw-tenants::openclaw:index:TenantStack$openclaw:index:Dns$cloudflare:index/dnsRecord:DnsRecord::acme-a";
  const owner = "urn:pulumi:prod::openclaw-tenants::openclaw:index:TenantStack$openclaw:index:Dns::acme";
  const state = { custom: true, parent: owner };

  it("finds nothing in a look at what is as it was, whatever the look itself wrote down", () => {
    expect(run({ steps: ["refresh", "same"].map((op) => ({ op, urn, oldState: state, newState: state })) }, { origin: "2099-01-01T00:00:00Z" })).toBe(0);
    expect(said).toBe("");
  });

  it("fails where something differs, and tells it", () => {
    expect(
      run({
        steps: [
          { op: "refresh", urn, oldState: state },
          { op: "update", urn, oldState: state, diffReasons: ["content"] },
        ],
      }),
    ).toBe(1);
    expect(said).toContain("! cloudflare:DnsRecord acme-a (updated: content)");
  });

  it("fails for a certificate alone", () => {
    expect(run({ steps: [] }, { origin: "2020-01-01T00:00:00Z" })).toBe(1);
    expect(said).toContain("The certificate `origin` ended on 2020-01-01.");
  });
});
