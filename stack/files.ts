import { readdirSync, readFileSync, statSync } from "node:fs";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join, relative, sep } from "node:path";

import { UserError } from "../lib/errors.ts";
import type { PlacedFile, SkillLibrary } from "../plan/files.ts";

/** The list of `tenants/<stack>.ts`: its default export, unchecked. Throws a UserError when there is no such file. */
export async function readTenants(root: string, stack: string): Promise<readonly unknown[]> {
  const file = join(root, "tenants", `${stack}.ts`);
  if (!existsSync(file)) throw new UserError(`stack "${stack}" has no list of tenants`, { hint: `write tenants/${stack}.ts; tenants/local.ts shows how` });
  const { default: tenants } = (await import(pathToFileURL(file).href).catch((error: unknown) => {
    throw new UserError(`tenants/${stack}.ts cannot be read${describeFailure(error, root, `tenants/${stack}.ts`)}`, { cause: error });
  })) as { default?: unknown };
  if (!Array.isArray(tenants)) throw new UserError(`tenants/${stack}.ts exports no list`, { hint: "write: export default defineTenants([ ... ])" });
  return tenants as unknown[];
}

/** Where Node stumbled and over what, without what could be a secret among its words. */
function describeFailure(error: unknown, root: string, file: string): string {
  if (!(error instanceof Error)) return "";
  const line = /^\d+/.exec(error.stack?.split(`${file}:`)[1] ?? "")?.[0];
  const words = error.message
    .split("\n", 1)[0]
    ?.replaceAll(`${root}${sep}`, "")
    .replaceAll(/[\w+/=-]{24,}/g, "...");
  return `${line === undefined ? "" : ` at line ${line}`}: ${words ?? ""}`;
}

/** The shared skills library, `skills/<name>/**`. */
export function readLibrary(root: string): SkillLibrary {
  const folder = join(root, "skills");
  return { names: foldersIn(folder), files: readTree(folder) };
}

/** Files that a tenant's workspace starts with, `tenants/<id>/workspace/**`, by id. */
export function readSeeds(root: string): Record<string, PlacedFile[]> {
  const folder = join(root, "tenants");
  return Object.fromEntries(foldersIn(folder).map((id) => [id, readTree(join(folder, id, "workspace"))]));
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

/** Every file below a folder, sorted by path, so that equal content gives equal plans. */
function readTree(folder: string): PlacedFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name !== ".gitkeep")
    .map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return {
        path: relative(folder, file).split(sep).join("/"),
        contentBase64: readFileSync(file).toString("base64"),
        isExecutable: (statSync(file).mode & 0o100) !== 0,
      };
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
