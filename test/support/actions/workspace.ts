import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { git } from "../repository.ts";

/** The checkout under test, which has the dependencies that package-lock.json names. */
const ROOT = join(import.meta.dirname, "..", "..", "..");

const OF_THE_RUNNER = [
  "DOCKER_HOST",
  "OPENCLAW_TENANTS_LANGUAGE_HOST",
  "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
  "PULUMI_HOME",
  "PULUMI_SKIP_UPDATE_CHECK",
  "STANDIN_MACHINES",
  "STANDIN_WORLD",
];

/** Links what is installed already; for all else the real npm is next on PATH. */
const NPM = `#!/bin/sh
PATH="\${PATH#*:}"
[ "$1" = ci ] || exec npm "$@"
exec ln -s '${join(ROOT, "node_modules")}' node_modules
`;

/** What a runner starts a job with. */
export interface Workspace {
  /** A fresh checkout, as deep as it was asked for. */
  dir: string;
  /** For the front of PATH: an npm that asks no registry. */
  bin: string;
  dispose: () => void;
}

/** Checks a repository out as `actions/checkout` does: one ref of it, and so many commits. */
export async function checkOut(repository: string, ref = "refs/heads/main", depth = 1): Promise<Workspace> {
  const scratch = mkdtempSync(join(tmpdir(), "openclaw-tenants-workspace-"));
  const [dir, bin] = [join(scratch, "checkout"), join(scratch, "bin")];
  await git(repository, "init", "--quiet", dir);
  await git(dir, "fetch", "--quiet", "--no-tags", `--depth=${depth}`, `file://${repository}`, ref);
  await git(dir, "checkout", "--quiet", "--detach", "FETCH_HEAD");
  mkdirSync(bin);
  writeFileSync(join(bin, "npm"), NPM, { mode: 0o755 });
  return {
    dir,
    bin,
    dispose: () => {
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** Variables of the machine that runs a job, out of a project's; everything else comes from the workflow. */
export function variablesOfRunner(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(OF_THE_RUNNER.map((name) => [name, env[name] ?? ""]));
}
