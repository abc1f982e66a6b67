import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { GITHUB_DIR } from "./workflow.ts";

const copies: string[] = [];

/** A copy of `.github` in which one thing is otherwise, to see a rule broken. */
export function changeGitHubDir(file: string, from: string, to: string): string {
  const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-workflows-"));
  copies.push(dir);
  cpSync(GITHUB_DIR, dir, { recursive: true });
  const text = readFileSync(join(dir, file), "utf8");
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  writeFileSync(
    join(dir, file),
    text.replace(from, () => to),
  );
  return dir;
}

/** Removes all of them. */
export function dropCopies(): void {
  for (const dir of copies.splice(0)) rmSync(dir, { recursive: true });
}
