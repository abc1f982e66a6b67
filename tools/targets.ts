import { z } from "zod";

import { UserError } from "../lib/errors.ts";
import { targetsOf } from "../plan/preview.ts";
import { readTenants } from "../stack/files.ts";
import { readGiven } from "./given-file.ts";

const Place = z.object({ id: z.string(), host: z.string(), moveFrom: z.string().optional() });

export interface TargetsArgs {
  projectDir: string;
  stack: string;
  /** Id of the tenant that is to be brought up to date. */
  tenant: string;
  /** File with what `pulumi preview --json` printed. */
  preview: string;
}

/** Prints what `pulumi up --target` takes to bring one tenant up to date and nobody else, a URN a line; none when nothing of it changes. */
export async function printTargets({ projectDir, stack, tenant, preview }: TargetsArgs): Promise<number> {
  const places = (await readTenants(projectDir, stack)).flatMap((entry) => Place.safeParse(entry).data ?? []);
  const place = places.find(({ id }) => id === tenant);
  if (place === undefined)
    throw new UserError(`there is no tenant "${tenant}" in tenants/${stack}.ts`, {
      hint: `it has ${places.map(({ id }) => id).join(", ")}; one that was taken out goes with an update of the whole fleet`,
    });
  const hosts = [place.host, ...(place.moveFrom === undefined ? [] : [place.moveFrom])];
  const urns = targetsOf(readGiven(preview), { id: tenant, hosts });
  process.stdout.write(urns.map((urn) => `${urn}\n`).join(""));
  return 0;
}
