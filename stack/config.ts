import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { z } from "zod";

import { UserError } from "../lib/errors.ts";
import type { SecretNames } from "../plan/secrets.ts";
import { parseSettings, type Settings } from "../plan/settings.ts";

const Secrets = z.record(z.string(), z.record(z.string(), z.string().min(1)));

/** The part of a stack's file that holds secrets; what is encrypted is an object, `{ secure: … }`. */
const StackFile = z.object({ config: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()).catch({})).catch({})).optional() });

/** The stack's settings, parsed once. Providers' credentials stay in the providers' own keys. */
export function readSettings(): Settings {
  return parseSettings(new pulumi.Config().requireObject("settings"), `Pulumi.${pulumi.getStack()}.yaml`);
}

/** Key that admits new servers to the operator's tailnet. */
export function readTailscaleKey(): pulumi.Output<string> | undefined {
  // Pulumi.yaml has an empty one, because a key without a default would be asked of every stack.
  const key = pulumi.runtime.getConfig(`${pulumi.getProject()}:tailscaleKey`) ?? "";
  return key === "" ? undefined : pulumi.secret(key);
}

/** Every tenant's secrets: their names, plain, for the plan, and their values, secret, for the containers. */
export function readSecrets(root: string): { names: SecretNames; values: pulumi.Output<z.output<typeof Secrets>> } {
  // Not through pulumi.Config: its getters either warn about a secret read in the clear or keep the names from the plan.
  const key = `${pulumi.getProject()}:secrets`;
  const result = Secrets.safeParse(parseSecretJson(pulumi.runtime.getConfig(key) ?? "{}"));
  // Only the shape is told, never what stands there.
  if (!result.success) {
    const at = result.error.issues.map(({ path }) => [key, ...path].join("."));
    throw new UserError(`${at.join(", ")} in Pulumi.${pulumi.getStack()}.yaml: not what is expected, an object of tenants with a text for each secret`, {
      hint: `set every value by its path: pulumi config set --secret --path '${key}.<tenant>.<NAME>'`,
    });
  }
  const plain = findPlainSecrets(root);
  if (plain.length > 0) {
    throw new UserError(`${plain.join(", ")} in Pulumi.${pulumi.getStack()}.yaml stands there in plain text`, {
      hint: "take it out, and set it with: pulumi config set --secret --path",
    });
  }
  const names = Object.fromEntries(Object.entries(result.data).map(([id, values]) => [id, Object.keys(values)]));
  return { names, values: pulumi.secret(result.data) };
}

/** The parser's own error would quote the secret. */
function parseSecretJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Paths of secrets that stand in the stack's file unencrypted. Once one of them is encrypted the engine calls them all secret, so the file is asked. */
function findPlainSecrets(root: string): string[] {
  const file = join(root, `Pulumi.${pulumi.getStack()}.yaml`);
  if (!existsSync(file)) return [];
  const key = `${pulumi.getProject()}:secrets`;
  const { config = {} } = StackFile.parse(parse(readFileSync(file, "utf8")) ?? {});
  return Object.entries(config[key] ?? {}).flatMap(([id, values]) =>
    Object.entries(values).flatMap(([name, value]) => (typeof value === "string" ? [`${key}.${id}.${name}`] : [])),
  );
}
