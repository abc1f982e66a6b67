import { conjoinQuoted } from "../lib/prose.ts";
import type { FieldChange, Warning } from "../templates/comparison.ts";

/** What a stack's file holds beside the settings, without one value. */
export interface Keys {
  /** Hash of what stands at every further key. */
  config: Readonly<Record<string, string>>;
  /** Hash of every secret as it is encrypted, by tenant and name. */
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Hash of what says how secrets are encrypted. */
  encryption: string;
}

/** Of a stack's file that holds nothing but settings. */
export const NO_KEYS: Keys = { config: {}, secrets: {}, encryption: "" };

/** Keys of which a new value is no more than another credential for the same. */
const CREDENTIALS: readonly string[] = ["cloudflare:apiToken", "hcloud:token", "openclaw-tenants:tailscaleKey"];

/** Every further key that is not what it was. */
export function diffKeys({ config: before }: Keys, { config: after }: Keys): FieldChange[] {
  const names = [...new Set([before, after].flatMap((keys) => Object.keys(keys)))].toSorted();
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => ({
      field: name,
      before: name in before ? "set" : undefined,
      after: !(name in after) ? undefined : name in before ? "set, but another" : "set",
    }));
}

/** What is to be said of them: by some of them the engine calls somebody else, and shows this stack's tokens there. */
export function warnOfKeys(changes: readonly FieldChange[]): Warning[] {
  const strange = changes.filter(({ field, after }) => !CREDENTIALS.includes(field) && after !== undefined).map(({ field }) => field);
  if (strange.length === 0) return [];
  return [{ level: "danger", text: `the engine is set up otherwise by ${conjoinQuoted(strange)}: whoever it calls by that is shown this stack's tokens` }];
}

/** Names of the secrets that both versions have and that are not encrypted as they were, by tenant. Nobody can tell once all are encrypted otherwise. */
export function findRotated(before: Keys, after: Keys): Record<string, string[]> {
  if (before.encryption !== after.encryption) return {};
  return Object.fromEntries(
    Object.entries(after.secrets).flatMap(([id, all]): [string, string[]][] => {
      const known = before.secrets[id] ?? {};
      const names = Object.keys(all).filter((name) => known[name] !== undefined && known[name] !== all[name]);
      return names.length === 0 ? [] : [[id, names.toSorted()]];
    }),
  );
}

/** What is to be said when nobody can tell. */
export function warnOfEncryption(before: Keys, after: Keys): Warning[] {
  if (before.encryption === after.encryption || Object.keys(before.secrets).length === 0) return [];
  return [{ level: "notice", text: "secrets are encrypted otherwise than before: which of them are new, only the engine's preview shows" }];
}
