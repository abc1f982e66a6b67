import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { stringify } from "yaml";
import type { z } from "zod";

import type { SecretNames } from "../../plan/secrets.ts";
import type { Settings } from "../../plan/settings.ts";
import type { TenantInput } from "../../tenants/schema.ts";

/** The checkout under test. */
const ROOT = join(import.meta.dirname, "..", "..");
/** What a list needs to be read. */
const NEEDED = ["lib", "package.json", "skills", "tenants"];
/** Everything that the command consists of. */
export const WHOLE_PROGRAM = [...NEEDED, "components", "index.ts", "package-lock.json", "plan", "Pulumi.yaml", "stack", "templates", "tools"];
/** Nothing of the machine's own settings decides what git does. */
const GIT_ENV = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  ...Object.fromEntries(["AUTHOR", "COMMITTER"].flatMap((who) => [`GIT_${who}_NAME=ann`, `GIT_${who}_EMAIL=ann@example.com`].map((pair) => pair.split("=")))),
} as Record<string, string>;

/** The value that every secret has, encrypted and not: it must never be seen. */
export const CANARY = "canary-0123456789";

/** One version of the stack `prod`, as an operator writes it. Absent: it is not there. */
export interface Stand {
  tenants: readonly unknown[];
  settings: z.input<typeof Settings>;
  secrets?: SecretNames;
  /** Further files, or these in other words. */
  files?: Readonly<Record<string, string>>;
}

/** A real repository: one version on `main`, another on a branch that started there. */
export interface Repository {
  dir: string;
  dispose: () => void;
}

/** Runs git in a repository, as ann. */
export async function git(dir: string, ...args: string[]): Promise<void> {
  await execa("git", args, { cwd: dir, env: GIT_ENV });
}

/** Makes one in a folder of its own. */
export async function createRepository(before: Stand | undefined, after: Stand, program: readonly string[] = NEEDED): Promise<Repository> {
  const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-repository-"));
  const commit = async (stand: Stand | undefined): Promise<void> => {
    for (const [file, text] of Object.entries(stand === undefined ? {} : filesOf(stand))) writeFileSync(join(dir, file), text);
    await git(dir, "add", "--all");
    await git(dir, "commit", "--quiet", "--allow-empty", "--message", "change");
  };
  for (const entry of program) cpSync(join(ROOT, entry), join(dir, entry), { recursive: true, filter: (file) => !/tools.(plug-ins|engine)$/.test(file) });
  rmSync(join(dir, "tenants", "prod.ts"));
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  writeFileSync(join(dir, ".gitignore"), "node_modules\n");
  await git(dir, "init", "--quiet", "--initial-branch", "main");
  await commit(before);
  await git(dir, "checkout", "--quiet", "-b", "change");
  await commit(after);
  return {
    dir,
    dispose: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function filesOf({ tenants, settings, secrets = {}, files = {} }: Stand): Record<string, string> {
  const encrypted = Object.entries(secrets).map(([id, names]) => [id, Object.fromEntries(names.map((name) => [name, { secure: `v1:${CANARY}` }]))]);
  return {
    "tenants/prod.ts": `import { defineTenants } from "./schema.ts";\n\nexport default defineTenants(${JSON.stringify(tenants, undefined, 2)} as never);\n`,
    "Pulumi.prod.yaml": stringify({ config: { "openclaw-tenants:secrets": Object.fromEntries(encrypted) as unknown, "openclaw-tenants:settings": settings } }),
    ...files,
  };
}

/** A tenant of these tests. */
export function client(id: string, port: number, more: Partial<TenantInput> = {}): TenantInput {
  return { id, name: `${id.charAt(0).toUpperCase()}${id.slice(1)} Ltd`, host: "host-1", port, ...more };
}
