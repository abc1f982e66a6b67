import * as z from "zod";

import type { Account } from "../account.ts";
import type { Kind } from "../provider.ts";
import type { Records } from "../world.ts";
import { serveItems } from "./item-kind.ts";
import { getItem, itemsOf, Labels, Name } from "./items.ts";

const PlacementGroup = z.strictObject({ name: Name, type: z.enum(["spread"]), labels: Labels.optional() });

export function placementGroup(account: Account): Kind {
  return serveItems(account, {
    type: "PlacementGroup",
    noun: "placement group",
    inputs: PlacementGroup,
    replace: [],
    deleteBeforeReplace: true,
    computed: ["servers"],
    make: () => [],
    remove: (records, _item, id) => {
      for (const server of seeGroup(records, id).servers) delete getItem(records, "Server", server).inputs["placementGroupId"];
      return [];
    },
    see: seeGroup,
  });
}

/** Who is in a group. */
export function seeGroup(records: Records, group: number): { servers: number[] } {
  return { servers: itemsOf(records, "Server").flatMap(([id, { inputs }]) => (inputs["placementGroupId"] === group ? [id] : [])) };
}
