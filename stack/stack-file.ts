import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse, YAMLError } from "yaml";
import { z } from "zod";

import { isCredentialField } from "../lib/credential.ts";
import { UserError } from "../lib/errors.ts";
import { shortHash } from "../lib/hash.ts";
import type { Keys } from "../plan/changed-keys.ts";
import type { SecretNames } from "../plan/secrets.ts";

const SETTINGS = "openclaw-tenants:settings";
const SECRETS = "openclaw-tenants:secrets";
/** The only one of the program's own keys that is a credential and is not called one. */
const TAILSCALE_KEY = "openclaw-tenants:tailscaleKey";

const Config = z.record(z.string(), z.unknown());
/** By a passphrase, or by a service whose answer is base64. */
const Encrypted = z.strictObject({ secure: z.string().regex(/^v\d+:|^[A-Za-z0-9+/]{24,}={0,2}$/) });
/** By tenant and name. */
const Secrets = z.record(z.string(), Config);
const StackYaml = z.looseObject({ config: Config.catch({}) }).catch({ config: {} });

/** What `Pulumi.<stack>.yaml` tells whoever lacks its key. */
export interface StackFile {
  /** As they are written. */
  settings: unknown;
  secretNames: SecretNames;
  keys: Keys;
}

/** Reads a stack's file without the engine. Absent: there is none. Of what is encrypted it gives a hash. */
export function findStackFile(root: string, stack: string): StackFile | undefined {
  const file = findFile(root, stack);
  if (file === undefined) return undefined;
  const { config, ...encryption } = file;
  const { [SETTINGS]: settings, [SECRETS]: secrets = {}, ...others } = config;
  const { data } = Secrets.safeParse(secrets);
  if (data === undefined)
    throw new UserError(`${SECRETS} in Pulumi.${stack}.yaml: the names of the secrets cannot be read`, {
      hint: `set every value by its path: pulumi config set --secret --path '${SECRETS}.<tenant>.<NAME>'`,
    });
  return {
    settings,
    secretNames: Object.fromEntries(Object.entries(data).map(([id, values]) => [id, Object.keys(values)])),
    keys: {
      config: hashAll(others),
      secrets: Object.fromEntries(Object.entries(data).map(([id, values]) => [id, hashAll(values)])),
      encryption: hash(encryption),
    },
  };
}

function hashAll(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, hash(value)]));
}

function hash(value: unknown): string {
  return shortHash(JSON.stringify(value ?? null));
}

/** Throws a UserError with the path of every secret that stands in the file unencrypted. Once one of them is encrypted the engine calls them all secret, so the file is asked. */
export function refusePlainSecrets(root: string, stack: string): void {
  const keys = Object.entries(findFile(root, stack)?.config ?? {}).filter(([key]) => key !== SETTINGS);
  const plain = keys.flatMap(([key, value]) => findPlain(key, value));
  if (plain.length === 0) return;
  throw new UserError(`${plain.join(", ")} in Pulumi.${stack}.yaml ${plain.length === 1 ? "stands" : "stand"} there in plain text`, {
    hint: "take it out, have it replaced where it was issued, for whoever reads the repository has it, and set the new one with: pulumi config set --secret --path",
  });
}

/** Credentials that stand there as they are, by their paths. A flat key is what `config set` without `--path` makes of a secret's. */
function findPlain(path: string, value: unknown): string[] {
  if (Encrypted.safeParse(value).success) return [];
  if (typeof value === "object" && value !== null) return Object.entries(value).flatMap(([key, each]) => findPlain(`${path}.${key}`, each));
  const isCredential = path === TAILSCALE_KEY || path.startsWith(`${SECRETS}.`) || isCredentialField(path) || path.endsWith(".secure");
  return isCredential && value !== "" && value !== null && value !== undefined ? [path] : [];
}

/** Absent: there is none. What is beside `config` says how secrets are encrypted. */
function findFile(root: string, stack: string): ({ config: Record<string, unknown> } & Record<string, unknown>) | undefined {
  const file = join(root, `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  try {
    return StackYaml.parse(parse(text, asEngine, { customTags: ["timestamp"], merge: true }));
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
