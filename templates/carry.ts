import { readFileSync } from "node:fs";

/** The steps of a tenant's move between hosts, one at a time by name. */
export const carryScript = readFileSync(new URL("carry.sh", import.meta.url), "utf8");
