import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

import { UserError } from "../lib/errors.ts";
import type { SecretNames } from "../plan/secrets.ts";
import { parseSettings, type Settings } from "../plan/settings.ts";
import { refusePlainSecrets } from "./stack-file.ts";

const Secrets = z.record(z.string(), z.record(z.string(), z.string().min(1)));

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
  refusePlainSecrets(root, pulumi.getStack());
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
