import { createHash } from "node:crypto";
import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Folder of the set-up's own files. */
export const toolsDir = import.meta.dirname;

/** Eight hex digits that change with the recipe: these files and folders under `tools/`, and whatever else decides the result. */
export function hashRecipe(paths: readonly string[], ...more: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths.flatMap(expand).toSorted()) hash.update(`${path}\0`).update(readFileSync(join(toolsDir, path)));
  for (const part of [process.platform, process.arch, ...more]) hash.update(`\0${part}`);
  return hash.digest("hex").slice(0, 8);
}

function expand(path: string): string[] {
  if (statSync(join(toolsDir, path)).isFile()) return [path];
  return globSync(`${path}/**`, { cwd: toolsDir }).filter((file) => statSync(join(toolsDir, file)).isFile());
}
