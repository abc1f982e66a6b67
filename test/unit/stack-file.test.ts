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
    expect(read()).toMatchObject({ settings: { domain: "example.com" }, secretNames: { acme: ["A_KEY"] } });
    expect(refuse).not.toThrow();
  });

  it("need not be there, nor say anything", () => {
    expect(findStackFile(root, "nobody")).toBeUndefined();
    for (const text of ["", "config:\n", "- a list\n", "encryptionsalt: v1:x\n"]) {
      write(text);
      expect(read()).toMatchObject({ settings: undefined, secretNames: {}, keys: { config: {}, secrets: {} } });
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

  it.each([
    ["a flat key, which is what a forgotten --path makes", "openclaw-tenants:secrets.acme.A_KEY: canary", "openclaw-tenants:secrets.acme.A_KEY"],
    ["another credential of a provider's", "cloudflare:apiKey: canary", "cloudflare:apiKey"],
    ["one within an object", "hcloud:config: { token: canary }", "hcloud:config.token"],
    ["one in a list", "docker:registryAuth: [{ address: ghcr.io, password: canary }]", "docker:registryAuth.0.password"],
    [
      "one that only says that it is encrypted",
      "openclaw-tenants:secrets: { acme: { A_KEY: { secure: canary } } }",
      "openclaw-tenants:secrets.acme.A_KEY.secure",
    ],
    ["one by the name of what is encrypted", "openclaw-tenants:secrets: { acme: { secure: canary } }", "openclaw-tenants:secrets.acme.secure"],
  ])("is refused with %s", (_, line, path) => {
    write(`config:\n  ${line}\n`);
    expect(refuse).toThrow(`${path} in Pulumi.prod.yaml stands there in plain text`);
    expect(refuse).not.toThrow(/canary/);
  });

  it.each(["v1:abc=:v1:def=", "AAABAJ0q7gXBN3vVh2m6lQ9mVb0C4yM1", ""])("is taken with what an engine has encrypted: %s", (text) => {
    const value = text === "" ? '""' : `{ secure: "${text}" }`;
    write(`config:\n  hcloud:token: ${value}\n  docker:registryAuth: ${text === "" ? "[]" : `{ secure: "${text}" }`}\n`);
    expect(refuse).not.toThrow();
  });

  it("gives every value another hash, and tells none", () => {
    const hashes = (secret: string, endpoint: string): unknown => {
      write(`encryptionsalt: v1:salt\nconfig:\n  hcloud:endpoint: ${endpoint}\n  openclaw-tenants:secrets: { acme: { A_KEY: { secure: v1:${secret} } } }\n`);
      return read()?.keys;
    };
    const [one, other] = [hashes("a", "x"), hashes("b", "y")];
    expect(one).toEqual(hashes("a", "x"));
    expect(one).not.toEqual(other);
    expect(one).toMatchObject({
      config: { "hcloud:endpoint": expect.stringMatching(/^[0-9a-f]{12}$/) as string },
      secrets: { acme: { A_KEY: expect.any(String) as string } },
    });
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

  it("is read as the engine reads it, which takes a date without quotes for a date, and merges what is referred to", () => {
    write('config:\n  openclaw-tenants:settings: { a: 2026-12-24, b: "2026-12-24", c: 04:00 }\n');
    expect(read()?.settings).toEqual({ a: "2026-12-24 00:00:00 +0000 UTC", b: "2026-12-24", c: "04:00" });
    write("config:\n  openclaw-tenants:settings: { a: &a { b: 1 }, c: { <<: *a, d: 2 } }\n");
    expect(read()?.settings).toEqual({ a: { b: 1 }, c: { b: 1, d: 2 } });
  });
});
