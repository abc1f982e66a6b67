import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { execa } from "execa";

import { UserError } from "../../lib/errors.ts";
import { type Local, readLocal } from "../../tools/local.ts";

const root = new URL("../..", import.meta.url).pathname;

/** What set-up left for tests, or what is missing of it. */
export type Machine = { missing: undefined; local: Local } | { missing: string; local: undefined };

/** Looks for a Docker that answers and both images. */
export function findMachine(): Machine {
  const lacks = (missing: string): Machine => ({ missing: `${missing}; npm test sets it up`, local: undefined });
  let local: Local;
  try {
    local = readLocal(root);
  } catch (error) {
    if (error instanceof UserError) return lacks("no set-up in this checkout");
    throw error;
  }
  const ask = (...args: string[]): boolean => spawnSync("docker", args, { env: { ...process.env, ...local.env }, timeout: 20_000 }).status === 0;
  if (!ask("version")) return lacks("no Docker that answers");
  if (!ask("image", "inspect", local.openclawImage)) return lacks(`no OpenClaw image ${local.openclawImage}`);
  if (!ask("image", "inspect", local.caddyImage)) return lacks(`no Caddy image ${local.caddyImage}`);
  return { missing: undefined, local };
}

interface Run {
  image: string;
  /** Content by path; they lie in /tmp/in when the script starts there. */
  files: Readonly<Record<string, string>>;
  /** For `sh`; whatever it leaves in /tmp/out is the result. */
  script: string;
  /** Further arguments of `docker run`. */
  args?: readonly string[];
}

/** Runs a script in an image, without network, and returns the files it made. Works with a Docker that cannot see this machine's folders. */
export async function runInImage({ env }: Local, { image, files, script, args = [] }: Run): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "openclaw-tenants-"));
  try {
    const [input, output] = [join(folder, "in"), join(folder, "out")];
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(input, path)), { recursive: true });
      writeFileSync(join(input, path), content);
    }
    mkdirSync(output);
    const { stdout: packed } = await execa("tar", ["-c", "-C", input, "."], { encoding: "buffer" });
    // Everything the script says goes to stderr: stdout is the result.
    const whole = `mkdir -p /tmp/in /tmp/out && tar -x -C /tmp/in && cd /tmp/in && { ${script}\n} >&2 && tar -c -C /tmp/out .`;
    const flags = ["--rm", "--interactive", "--network", "none", "--env", "HOME=/tmp", ...args, "--entrypoint", "sh"];
    const { stdout: made } = await execa("docker", ["run", ...flags, image, "-c", whole], { env, input: packed, encoding: "buffer" });
    await execa("tar", ["-x", "-C", output], { input: made });
    return Object.fromEntries(readdirSync(output).map((name) => [name, readFileSync(join(output, name), "utf8")]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
