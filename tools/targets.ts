import { z } from "zod";

import { UserError } from "../lib/errors.ts";
import { parseSteps } from "../plan/engine-steps.ts";
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
  const text = readGiven(preview);
  const moving = findMoving(text).filter((id) => id !== tenant);
  if (moving.length > 0)
    throw new UserError(`tenant "${moving[0] ?? ""}" is to move, and an update of "${tenant}" alone would forget where its data is`, {
      hint: "update the whole fleet instead",
    });
  const urns = targetsOf(text, { id: tenant, hosts });
  process.stdout.write(urns.map((urn) => `${urn}\n`).join(""));
  return 0;
}

/** Tenants whose data is to go to another host. An update of anybody writes down the places that the list names, and the move would find nothing to carry. */
function findMoving(text: string): string[] {
  return parseSteps(text).steps.flatMap(({ fate, type, name, owner }) =>
    owner.kind === "tenant" && type === "docker:index/volume:Volume" && name === `${owner.id}-state` && fate === "replaced" ? [owner.id] : [],
  );
}
