import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A shell with the programs beside it that a script finds on PATH. */
export interface Shell {
  name: string;
  path: string;
}

/** This machine's own, and where it is there BusyBox, which the images' shells are. Call `forget` when they are no longer needed. */
export function findShells(): { shells: Shell[]; forget: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "busybox-"));
  const own = { name: "sh", path: process.env["PATH"] ?? "" };
  const hasBusyBox = spawnSync("busybox", ["--install", "-s", folder]).status === 0;
  return {
    shells: hasBusyBox ? [own, { name: "busybox sh", path: folder }] : [own],
    forget: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
