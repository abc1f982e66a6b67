import { createHash } from "node:crypto";

/** The first 12 hex digits of a text's SHA-256: names content, guards nothing. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
