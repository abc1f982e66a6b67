/** A text without what could be a credential in it: a password before an `@`, what follows a question mark, all but the start of a long run with a digit in it. */
export function redact(text: string): string {
  return text
    .replaceAll(/:[^:@/\s]+@(?!sha256:)/g, ":…@")
    .replaceAll(/\?\S*/g, "?…")
    .replaceAll(/(?=[\w+/=-]*\d)([\w+/=-]{4})[\w+/=-]{20,}/g, "$1…");
}
