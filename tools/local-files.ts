import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { UserError } from "../lib/errors.ts";
import type { Engine } from "./engine.ts";
import type { PlugIns } from "./plug-ins.ts";
import { toolsDir } from "./recipe.ts";

/** Not the name that the engine looks for on PATH: it would warn of it. */
const LANGUAGE_HOST = "language-host";

/** What `.local/` is written from. */
export interface LocalFilesArgs {
  projectDir: string;
  engine: Engine;
  plugIns: PlugIns;
  /** Address of the Docker daemon. */
  endpoint: string;
}

/** Writes `.local/`: the environment of the local stack, its passphrase, and the programs that the engine looks for on PATH. */
export async function writeLocalFiles(args: LocalFilesArgs): Promise<void> {
  const dir = join(args.projectDir, ".local");
  const binDir = join(dir, "bin");
  await mkdir(join(dir, "state"), { recursive: true, mode: 0o700 });
  await mkdir(binDir, { recursive: true });
  await chmod(dir, 0o700);
  await writePassphrase(args.projectDir, join(dir, "passphrase"));
  await writePrograms(binDir);
  await write(join(dir, "env"), renderEnv(environment(args, dir, binDir)), 0o600);
}

function environment({ engine, plugIns, endpoint }: LocalFilesArgs, dir: string, binDir: string): Record<string, string> {
  return {
    PULUMI_BACKEND_URL: `file://${join(dir, "state")}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: join(dir, "passphrase"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // One tenant that never gets healthy must not keep the others from what is waiting for them.
    PULUMI_CONTINUE_ON_ERROR: "true",
    ...(plugIns.home === undefined ? {} : { PULUMI_HOME: plugIns.home }),
    ...(plugIns.areBuilt ? { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" } : {}),
    ...(engine.hasLanguageHost ? {} : { OPENCLAW_TENANTS_LANGUAGE_HOST: join(binDir, LANGUAGE_HOST) }),
    DOCKER_HOST: endpoint,
    PATH: engine.isOurs ? `${binDir}:${dirname(engine.pulumi)}` : binDir,
  };
}

function renderEnv(env: Record<string, string>): string {
  const lines = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}${name === "PATH" ? ':"$PATH"' : ""}`);
  return [
    "# Written by set-up. `. .local/env` makes any Pulumi command speak of the local stack.",
    // Set in the shell, this one would win over the file.
    "unset PULUMI_CONFIG_PASSPHRASE",
    ...lines,
    "",
  ].join("\n");
}

function quote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** Made once. Without it the secrets in the state cannot be read again, so a lost one is not quietly replaced. */
async function writePassphrase(projectDir: string, file: string): Promise<void> {
  if (existsSync(file)) return;
  const settings = join(projectDir, "Pulumi.local.yaml");
  if (existsSync(settings) && /^encryptionsalt:/m.test(await readFile(settings, "utf8"))) {
    throw new UserError("Pulumi.local.yaml is encrypted with a passphrase that is gone: .local/passphrase is missing", {
      hint: "put the file back; or remove encryptionsalt and every `secure:` value from Pulumi.local.yaml and set those secrets again",
    });
  }
  await write(file, `${randomBytes(32).toString("base64url")}\n`, 0o600);
}

/** `node` for the program, whichever language host runs it, and the host for an engine that came without one. */
async function writePrograms(binDir: string): Promise<void> {
  const node = join(binDir, "node");
  await rm(node, { force: true });
  await symlink(process.execPath, node);
  await write(join(binDir, LANGUAGE_HOST), `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(join(toolsDir, "language-host.ts"))} "$@"\n`, 0o700);
}

/** Only when it changes, and in one step: somebody may be reading. */
async function write(file: string, text: string, mode: number): Promise<void> {
  if (existsSync(file) && (await readFile(file, "utf8")) === text) return;
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, text, { mode });
  await rename(temporary, file);
}
