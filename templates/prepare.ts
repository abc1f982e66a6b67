import { readFileSync } from "node:fs";

/** What the script says when the data belongs to somebody else. */
export const REFUSED = "another tenant's data";

/** Runs once before a gateway starts: checks whose data it is, and gives a new tenant its directories and files. */
export const prepareScript = readFileSync(new URL("prepare.sh", import.meta.url), "utf8");
