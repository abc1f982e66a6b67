import { readFileSync } from "node:fs";

/** Makes the directories that volumes are bound to; fails where the data volume is not mounted. */
export const directoriesScript = readFileSync(new URL("directories.sh", import.meta.url), "utf8");
