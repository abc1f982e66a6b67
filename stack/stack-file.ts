import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse, YAMLError } from "yaml";
import { z } from "zod";

import { UserError } from "../lib/errors.ts";
import type { SecretNames } from "../plan/secrets.ts";

const SETTINGS = "openclaw-tenants:settings";
const SECRETS = "openclaw-tenants:secrets";
/** Keys whose whole value is a secret. */
const CREDENTIALS: readonly string[] = ["cloudflare:apiToken", "hcloud:token", "openclaw-tenants:tailscaleKey"];

const Config = z.record(z.string(), z.unknown());
const Encrypted = z.object({ secure: z.string() });
/** By tenant and name. */
const Secrets = z.record(z.string(), Config);
/** As far as somebody wrote objects: what is in them may be anything. */
const Anything = z.record(z.string(), Config.catch({})).catch({});

/** What `Pulumi.<stack>.yaml` tells whoever lacks its key. */
export interface StackFile {
  /** As they are written. */
  settings: unknown;
  secretNames: SecretNames;
}

/** Reads a stack's file without the engine. Absent: there is none. Values of secrets are not looked at. */
export function findStackFile(root: string, stack: string): StackFile | undefined {
  const config = findConfig(root, stack);
  if (config === undefined) return undefined;
  const { data } = Secrets.safeParse(config[SECRETS] ?? {});
  if (data === undefined)
    throw new UserError(`${SECRETS} in Pulumi.${stack}.yaml: the names of the secrets cannot be read`, {
      hint: `set every value by its path: pulumi config set --secret --path '${SECRETS}.<tenant>.<NAME>'`,
    });
  return { settings: config[SETTINGS], secretNames: Object.fromEntries(Object.entries(data).map(([id, values]) => [id, Object.keys(values)])) };
}

/** Throws a UserError with the path of every secret that stands in the file unencrypted. Once one of them is encrypted the engine calls them all secret, so the file is asked. */
export function refusePlainSecrets(root: string, stack: string): void {
  const config = findConfig(root, stack) ?? {};
  const credentials = CREDENTIALS.filter((key) => typeof config[key] === "string" && config[key] !== "");
  const secrets = Object.entries(Anything.parse(config[SECRETS])).flatMap(([id, values]) =>
    Object.entries(values).flatMap(([name, value]) => (Encrypted.safeParse(value).success || name === "secure" ? [] : [`${SECRETS}.${id}.${name}`])),
  );
  const plain = [...credentials, ...secrets];
  if (plain.length === 0) return;
  throw new UserError(`${plain.join(", ")} in Pulumi.${stack}.yaml ${plain.length === 1 ? "stands" : "stand"} there in plain text`, {
    hint: "take it out, have it replaced where it was issued, for whoever reads the repository has it, and set the new one with: pulumi config set --secret --path",
  });
}

function findConfig(root: string, stack: string): Record<string, unknown> | undefined {
  const file = join(root, `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  try {
    return z
      .object({ config: Config })
      .catch({ config: {} })
      .parse(parse(text, asEngine, { customTags: ["timestamp"] })).config;
  } catch (error) {
    // The parser's own words would quote what may be a secret.
    const at = error instanceof YAMLError ? error.linePos?.[0] : undefined;
    throw new UserError(`Pulumi.${stack}.yaml is not YAML${at === undefined ? "" : `: look at line ${at.line}, column ${at.col}`}`, { cause: error });
  }
}

/** The engine takes a date without quotes for a date, and hands it on as Go writes it. */
function asEngine(_: unknown, value: unknown): unknown {
  return value instanceof Date ? `${value.toISOString().slice(0, 19).replace("T", " ")} +0000 UTC` : value;
}
