import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { printTargets } from "../../tools/targets.ts";

const urnOf = (type: string, name: string): string => `urn:pulumi:prod::openclaw-tenants::openclaw:index:TenantStack$${type}::${name}`;
const part = (op: string, kind: string, parent: string, type: string, name: string): object => ({
  op,
  urn: urnOf(`openclaw:index:${kind}$${type}`, name),
  oldState: { custom: true, parent: urnOf(`openclaw:index:${kind}`, parent) },
});
const CONTAINER = "docker:index/container:Container";
const VOLUME = "docker:index/volume:Volume";

/** "acme" moves from one host to the other, "globex" gets another image, and "hooli" nothing. */
const STEPS = [
  part("replace", "Gateway", "acme", CONTAINER, "acme-gateway"),
  part("replace", "Gateway", "acme", VOLUME, "acme-state"),
  part("replace", "Gateway", "globex", CONTAINER, "globex-gateway"),
  part("create", "Host", "host-1", "docker:index/remoteImage:RemoteImage", "host-1-openclaw-image-1"),
  part("replace", "Edge", "host-1", CONTAINER, "host-1-load"),
  part("replace", "Edge", "host-2", CONTAINER, "host-2-load"),
  part("update", "HetznerHost", "host-1", "hcloud:index/firewall:Firewall", "host-1-firewall"),
];

describe("what an update of one tenant alone is for", () => {
  let dir: string;
  let said: string[];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-targets-"));
    mkdirSync(join(dir, "tenants"));
    const list = [{ id: "acme", host: "host-2", moveFrom: "host-1" }, { id: "globex", host: "host-1" }, { id: "hooli", host: "host-1" }, { id: 7 }];
    writeFileSync(join(dir, "tenants", "prod.ts"), `export default ${JSON.stringify(list)};\n`);
    said = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => (said.push(...String(text).trim().split("\n")), true));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(dir, { recursive: true });
  });

  const run = async (tenant: string, steps: readonly object[] = STEPS): Promise<string[]> => {
    const preview = join(dir, "preview.json");
    writeFileSync(preview, JSON.stringify({ steps }));
    await printTargets({ projectDir: dir, stack: "prod", tenant, preview });
    return said.filter((line) => line !== "").map((line) => line.split("::").at(-1) ?? "");
  };
  const withoutMove = STEPS.filter((_, index) => index !== 1);

  it("is what becomes of it, whatever its host lacks for that, and the routes", async () => {
    expect(await run("globex", withoutMove)).toEqual(["globex-gateway", "host-1-openclaw-image-1", "host-1-load"]);
  });

  it("is the routes of both hosts when it moves", async () => {
    expect(await run("acme")).toEqual(expect.arrayContaining(["acme-gateway", "acme-state", "host-1-load", "host-2-load"]));
  });

  it("is nothing when nothing of it changes", async () => {
    expect(await run("hooli", withoutMove)).toEqual([]);
  });

  it("is refused while another tenant moves: whose place would be written down, and its data forgotten", async () => {
    await expect(run("globex")).rejects.toThrow('tenant "acme" is to move, and an update of "globex" alone would forget where its data is');
  });

  it("is refused for a tenant that there is not, with those that there are", async () => {
    await expect(run("nobody")).rejects.toMatchObject({
      message: 'there is no tenant "nobody" in tenants/prod.ts',
      hint: "it has acme, globex, hooli; one that was taken out goes with an update of the whole fleet",
    });
  });
});
