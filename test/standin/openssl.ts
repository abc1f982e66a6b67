import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { withTemporaryDir } from "./temporary-dir.ts";

/** Runs openssl, and returns the PEM that it printed. */
export async function openssl(...args: string[]): Promise<string> {
  return `${(await execa("openssl", args)).stdout}\n`;
}

/** Keys go through files, for openssl takes none from a pipe. */
export async function withFiles<T>(contents: Readonly<Record<string, string>>, use: (pathOf: (name: string) => string) => Promise<T>): Promise<T> {
  return await withTemporaryDir("certificate", async (dir) => {
    for (const [name, content] of Object.entries(contents)) await writeFile(join(dir, name), content, { mode: 0o600 });
    return await use((name) => join(dir, name));
  });
}
