import { z } from "zod";

import { findEndings } from "../plan/certificates.ts";
import { parsePreview } from "../plan/preview.ts";
import { renderDrift } from "../templates/drift.ts";
import { readGiven } from "./given-file.ts";

export interface DriftArgs {
  stack: string;
  /** File with what `pulumi preview --refresh --json` printed. */
  preview: string;
  /** File with what `pulumi stack output certificates --json` printed. Absent: none is looked at. */
  certificates?: string | undefined;
}

/** Prints where the world is not what the repository says, and certificates that end soon. Gives the exit code: 1 when there is something to tell. */
export function showDrift({ stack, preview, certificates }: DriftArgs): number {
  const { account } = parsePreview(readGiven(preview));
  const ends = certificates === undefined ? {} : z.record(z.string(), z.string()).parse(JSON.parse(readGiven(certificates)));
  const text = renderDrift({ stack, engine: account, certificates: findEndings(ends, new Date()) });
  process.stdout.write(text);
  if (text === "") process.stderr.write("nothing differs\n");
  return text === "" ? 0 : 1;
}
