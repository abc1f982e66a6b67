import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { findStackFile, refusePlainSecrets } from "../../stack/stack-file.ts";

const root = mkdtempSync(join(tmpdir(), "openclaw-tenants-stack-file-"));
const write = (text: string): void => {
  writeFileSync(join(root, "Pulumi.prod.yaml"), text);
};
const read = (): ReturnType<typeof findStackFile> => findStackFile(root, "prod");
const refuse = (): void => {
  refusePlainSecrets(root, "prod");
};

afterAll(() => {
  rmSync(root, { recursive: true });
});

describe("a stack's file", () => {
  it("tells its settings and the names of its secrets, whatever their values", () => {
    write("config:\n  openclaw-tenants:settings: { domain: example.com }\n  openclaw-tenants:secrets: { acme: { A_KEY: { secure: v1:x } } }\n");
    expect(read()).toEqual({ settings: { domain: "example.com" }, secretNames: { acme: ["A_KEY"] } });
    expect(refuse).not.toThrow();
  });

  it("need not be there, nor say anything", () => {
    expect(findStackFile(root, "nobody")).toBeUndefined();
    for (const text of ["", "config:\n", "- a list\n", "encryptionsalt: v1:x\n"]) {
      write(text);
      expect(read()).toEqual({ settings: undefined, secretNames: {} });
      expect(refuse).not.toThrow();
    }
  });

  it("is refused with every credential that stands there in plain text, by its path alone", () => {
    write(
      "config:\n  hcloud:token: canary\n  cloudflare:apiToken: { secure: v1:x }\n  openclaw-tenants:secrets: { acme: { A_KEY: canary, B_KEY: { secure: v1:x }, C_KEY: 12345 } }\n",
    );
    expect(refuse).toThrow(
      "hcloud:token, openclaw-tenants:secrets.acme.A_KEY, openclaw-tenants:secrets.acme.C_KEY in Pulumi.prod.yaml stand there in plain text",
    );
    expect(refuse).not.toThrow(/canary|12345/);
  });

  it("has an empty key for the tailnet where there is none", () => {
    write('config:\n  openclaw-tenants:tailscaleKey: ""\n');
    expect(refuse).not.toThrow();
    write("config:\n  openclaw-tenants:tailscaleKey: canary\n");
    expect(refuse).toThrow("openclaw-tenants:tailscaleKey in Pulumi.prod.yaml stands there in plain text");
  });

  it("is asked for names, so secrets that are encrypted as a whole are refused with the way out", () => {
    write("config:\n  openclaw-tenants:secrets: { secure: v1:x }\n");
    expect(refuse).not.toThrow();
    expect(read).toThrow("openclaw-tenants:secrets in Pulumi.prod.yaml: the names of the secrets cannot be read");
  });

  it("that is not YAML is refused by the place, without its words", () => {
    write("config:\n  openclaw-tenants:secrets:\n    acme: canary: canary\n");
    expect(read).toThrow(/^Pulumi\.prod\.yaml is not YAML: look at line 3, column \d+$/);
  });

  it("is read as the engine reads it, which takes a date without quotes for a date", () => {
    write('config:\n  openclaw-tenants:settings: { a: 2026-12-24, b: "2026-12-24", c: 04:00 }\n');
    expect(read()?.settings).toEqual({ a: "2026-12-24 00:00:00 +0000 UTC", b: "2026-12-24", c: "04:00" });
  });
});
