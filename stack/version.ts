import { existsSync } from "node:fs";
import { join } from "node:path";

import { UserError } from "../lib/errors.ts";
import { parseSettings } from "../plan/settings.ts";
import type { VersionInput } from "../plan/version.ts";
import { readLibrary, readSeeds, readTenants } from "./files.ts";
import { findStackFile } from "./stack-file.ts";

/** Whether a folder has the list and the settings of a stack. */
export function hasStack(root: string, stack: string): boolean {
  return [join("tenants", `${stack}.ts`), `Pulumi.${stack}.yaml`].every((file) => existsSync(join(root, file)));
}

/** All that a plan follows from and that stands in files, read without the engine, the stack's key or any account. */
export async function readVersion(root: string, stack: string): Promise<VersionInput> {
  const file = findStackFile(root, stack);
  if (file === undefined) throw new UserError(`stack "${stack}" has no settings`, { hint: `write Pulumi.${stack}.yaml; Pulumi.prod.yaml shows how` });
  const settings = parseSettings(file.settings, `Pulumi.${stack}.yaml`);
  const { secretNames: secrets, keys } = file;
  return { stack, tenants: await readTenants(root, stack), settings, secrets, keys, library: readLibrary(root), seeds: readSeeds(root) };
}
