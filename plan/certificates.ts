import type { EndingCertificate } from "../templates/drift.ts";

/** Days before its end from which a certificate is spoken of. */
const NOTICE_DAYS = 30;
const DAY_MS = 86_400_000;

/** Certificates that end within 30 days, by name. Cloudflare writes a time as RFC 3339 or as Go does, `2041-11-26 12:00:00 +0000 UTC`. */
export function findEndings(certificates: Readonly<Record<string, string>>, now: Date): EndingCertificate[] {
  return Object.entries(certificates).flatMap(([name, text]): EndingCertificate[] => {
    const end = Date.parse(text.replace(/^(\S+) (\S+) \+0000 UTC$/, "$1T$2Z"));
    if (Number.isNaN(end)) return [{ name, on: text, days: undefined }];
    const days = Math.floor((end - now.getTime()) / DAY_MS);
    return days > NOTICE_DAYS ? [] : [{ name, on: new Date(end).toISOString().slice(0, 10), days }];
  });
}
