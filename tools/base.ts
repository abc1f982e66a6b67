import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { UserError } from "../lib/errors.ts";
import { attempt, run } from "./command.ts";

/** What the list is compared with where nobody says. */
const USUAL: readonly string[] = ["origin/main", "main"];
/** What decides what the program does with a list. */
const PROGRAM: readonly string[] = ["Pulumi.yaml", "components", "index.ts", "lib", "package-lock.json", "plan", "stack", "templates", "tenants/schema.ts"];

/** Where a change starts from. */
export interface Base {
  /** As it was named. */
  name: string;
  commit: string;
}

/** The commit at which this branch left the one that is named, or else `origin/main` or `main`. Throws a UserError when there is none. */
export async function findBase(projectDir: string, name?: string): Promise<Base> {
  for (const each of name === undefined ? USUAL : [name]) {
    const { isFine, stdout } = await attempt("git", ["rev-parse", "--verify", "--quiet", "--end-of-options", `${each}^{commit}`], { cwd: projectDir });
    if (!isFine) continue;
    // What others merged meanwhile is not this change's. A shallow clone may not know where they met.
    const met = await attempt("git", ["merge-base", "HEAD", stdout.trim()], { cwd: projectDir });
    return { name: each, commit: met.isFine ? met.stdout.trim() : stdout.trim() };
  }
  throw new UserError(`there is ${name === undefined ? `neither ${USUAL.join(" nor ")}` : `no ${name}`} here to compare with`, {
    hint: "fetch it (git fetch origin main), or name a commit, a branch or a tag: npm run plan -- --base <ref>",
  });
}

/** Does `work` with a folder that holds all files of a commit, and removes it. */
export async function withFilesOf<T>(projectDir: string, commit: string, work: (dir: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), "openclaw-tenants-base-"));
  try {
    const archive = join(scratch, "files.tar");
    await run(`reading ${commit}`, "git", ["archive", "--format=tar", `--output=${archive}`, commit], { cwd: projectDir });
    await run(`reading ${commit}`, "tar", ["-xf", archive, "-C", scratch]);
    // Its list imports the schema, and that the packages.
    await symlink(join(projectDir, "node_modules"), join(scratch, "node_modules"));
    return await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Files of the program that are not what they were at a commit. */
export async function findProgramChanges(projectDir: string, commit: string): Promise<string[]> {
  const list = async (...args: string[]): Promise<string[]> =>
    (await run("comparing the program", "git", [...args, "-z", "--", ...PROGRAM], { cwd: projectDir })).split("\0").filter((file) => file !== "");
  const all = [...(await list("diff", "--name-only", "--relative", commit)), ...(await list("ls-files", "--others", "--exclude-standard"))];
  return [...new Set(all)].toSorted();
}
