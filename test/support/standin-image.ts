import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import type { Local } from "../../tools/local.ts";

/** `healthy` answers every request with its host name; `silent` runs and never answers. */
export type StandInKind = "healthy" | "silent";

const PROGRAMS: Readonly<Record<StandInKind, string>> = {
  healthy: 'exec caddy respond --listen :18789 --body "stand-in of $(hostname)"',
  silent: "exec sleep 1000000",
};

/** What the container's health check calls; the base has no curl. */
const CURL = 'for last; do :; done\nexec wget -q -O - "$last"';

/**
 * A small HTTP server that takes OpenClaw's place under the same container settings, for claims about the engine and Docker that no OpenClaw is
 * needed for: it starts in a second. Made from the Caddy image, which is there anyway. Returns its reference.
 */
export async function buildStandIn({ env, caddyImage }: Local, kind: StandInKind = "healthy"): Promise<string> {
  const files = {
    Dockerfile: `FROM ${caddyImage}\nCOPY node curl /usr/local/bin/\nENV PATH=/usr/local/bin:/usr/bin:/bin\nENTRYPOINT []\n`,
    node: script(PROGRAMS[kind]),
    curl: script(CURL),
  };
  const recipe = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 8);
  const reference = `openclaw-tenants/standin:2026.9.6-built-${recipe}`;

  const folder = mkdtempSync(join(tmpdir(), "openclaw-tenants-standin-"));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o755 });
    // From a warm cache in a tenth of a second, so nobody needs to know whether it is there.
    await execa("docker", ["build", "--quiet", "--tag", reference, folder], { env });
    return reference;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function script(body: string): string {
  return `#!/bin/sh\n${body}\n`;
}
