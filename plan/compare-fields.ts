import { isCredentialField } from "../lib/credential.ts";
import { gib } from "../lib/prose.ts";
import type { FieldChange } from "../templates/comparison.ts";
import { SIZES } from "./limits.ts";

/** Characters of a value that are shown. */
const LENGTH = 60;

/** Every field in which two parsed objects differ; an object that is only in one of them is one field. */
export function diffFields(before: unknown, after: unknown, path = ""): FieldChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => diffFields(before[key], after[key], path === "" ? key : `${path}.${key}`));
  }
  const [was, is] = [describeValue(path, before), describeValue(path, after)];
  // What differs only where nothing is shown.
  return [{ field: path, before: was, after: was !== is ? is : is === undefined ? "empty" : `${is}, but another` }];
}

/** A value in the operator's words. What an entry's `config` says is shown only where it cannot be a secret. */
export function describeValue(path: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : shorten(value.map((each) => describeValue(path, each) ?? "").join(", "));
  if (isRecord(value)) return shorten(describeRecord(path, value));
  if (typeof value !== "string") return JSON.stringify(value);
  const key = path.split(".").at(-1) ?? "";
  if (path.startsWith("config.")) return isHarmless(key, value) ? value : "a text";
  if (key === "size" && Object.hasOwn(SIZES, value)) return describeSize(value as keyof typeof SIZES);
  return shorten(describeText(value));
}

/** An image without most of its digest, an address by its origin, a key by its end: nothing that could carry a credential, nothing long. */
function describeText(text: string): string {
  const [name = "", digest] = text.split("@sha256:");
  if (digest !== undefined) return `${name} (${digest.slice(0, 7)})`;
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(text)) return URL.canParse(text) ? describeUrl(new URL(text)) : "an address";
  if (/^(ssh|ecdsa|sk)-\S+ /.test(text)) return text.replace(/ (\S+)/, (_, key: string) => ` …${key.slice(-8)}`);
  return text;
}

function describeUrl({ protocol, username, host }: URL): string {
  return `${protocol}//${username === "" || protocol !== "ssh:" ? "" : `${username}@`}${host}`;
}

function describeSize(size: keyof typeof SIZES): string {
  const { memoryMb, cpus } = SIZES[size];
  return `${size} (${gib(memoryMb)}, ${cpus} CPU${cpus === 1 ? "" : "s"})`;
}

function describeRecord(path: string, value: Record<string, unknown>): string {
  const parts = Object.entries(value).flatMap(([key, each]) => {
    const shown = describeValue(`${path}.${key}`, each);
    return shown === undefined ? [] : [`${key} ${shown}`];
  });
  return parts.length === 0 ? "on" : parts.join(", ");
}

/** Short and plain: no credential is. */
function isHarmless(key: string, value: string): boolean {
  return !isCredentialField(key) && /^[\w.:-]{1,16}$/.test(value);
}

function shorten(text: string): string {
  return text.length <= LENGTH ? text : `${text.slice(0, LENGTH - 1)}…`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
