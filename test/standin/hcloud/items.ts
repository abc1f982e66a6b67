import * as z from "zod";

import type { Props } from "../provider.ts";
import type { Item, Records } from "../world.ts";
import { notFound } from "./errors.ts";

/** As hcloud-go's `ValidateResourceLabels` has it. */
export const Labels = z.record(
  z.string().regex(/^([a-z0-9A-Z](([-_.]|[a-z0-9A-Z]){0,253}[a-z0-9A-Z])?\/)?[a-z0-9A-Z](([-_.]|[a-z0-9A-Z]){0,61}[a-z0-9A-Z])?$/),
  z
    .string()
    .regex(/^(([a-z0-9A-Z]([-_.]|[a-z0-9A-Z]){0,61})?[a-z0-9A-Z])?$/, { error: ({ input }) => `label value '${String(input)}' is not correctly formatted` }),
);

/** The engine would make up a name. With one of its own making a thing is found again whose making was not recorded. */
export const Name = z.string().min(1);

/** An item of a type by its id. */
export function findItem(records: Records, type: string, id: string | number): Item | undefined {
  const item = Object.hasOwn(records.items, id) ? records.items[id] : undefined;
  return item?.type === type ? item : undefined;
}

/** The same, where there has to be one. */
export function getItem(records: Records, type: string, id: string | number): Item {
  const item = findItem(records, type, id);
  if (item === undefined) throw notFound(type.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase(), id);
  return item;
}

/** All of a type, with their ids. */
export function itemsOf(records: Records, type: string): [number, Item][] {
  return Object.entries(records.items).flatMap(([id, item]): [number, Item][] => (item.type === type ? [[Number(id), item]] : []));
}

/** Properties but for some. */
export function without(props: Props, names: readonly string[]): Props {
  return Object.fromEntries(Object.entries(props).filter(([name]) => !names.includes(name)));
}
