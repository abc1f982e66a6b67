import type * as z from "zod";

import type { Account } from "../account.ts";
import { previewable } from "../inputs.ts";
import type { Kind, OperationContext, Props } from "../provider.ts";
import { count, dropItem, type Item, type Records } from "../world.ts";
import { nameTaken, notFound, refusal } from "./errors.ts";
import { findItem, Labels, without } from "./items.ts";
import { type Effect, runEffects } from "./machines.ts";

/** A kind of thing with a name and an id, which the API lists. */
export interface ItemKind<T extends z.ZodObject> {
  type: string;
  /** What messages call it. */
  noun: string;
  inputs: T;
  /** Rules between inputs; what is wrong. They may be UNKNOWN. */
  findMistake?(inputs: Props): { property: string; reason: string } | undefined;
  replace: readonly string[];
  /** Whether the old one goes first: so the bridge has it for what is named by hand, unless the upstream provider is of the newer kind. */
  deleteBeforeReplace?: boolean;
  computed?: readonly string[];
  /** Inputs that the API never tells: a read knows them from the state, or not at all. */
  untold?: readonly string[];
  /** Adds what the API does of itself to a new item, and refuses what it refuses. */
  make(records: Records, item: Item, inputs: z.output<T>, id: number): Effect[];
  /** The same for new inputs, which the item has by then. `olds` is what the state says. */
  change?(records: Records, item: Item, changed: Change<T>): Effect[];
  /** What goes with it. */
  remove?(records: Records, item: Item, id: number, olds: Props): Effect[];
  /** Outputs that follow from other items. */
  see?(records: Records, id: number): Props;
}

interface Change<T extends z.ZodObject> {
  id: number;
  news: z.output<T>;
  olds: Props;
}

/** Serves it from an account. */
export function serveItems<T extends z.ZodObject>(account: Account, kind: ItemKind<T>): Kind {
  const { type, untold = [], computed = [] } = kind;
  const nameOf = (id: string): string => findItem(account.records(), type, id)?.name ?? "";
  const after = ({ signal }: Pick<OperationContext, "signal">) => ({
    then: ({ effects }: { effects: Effect[] }) => runEffects(account, effects),
    signal,
  });
  const tell = (records: Records, id: string, item: Item): Props =>
    structuredClone({ ...item.inputs, labels: item.labels, ...item.outputs, ...kind.see?.(records, Number(id)) });
  const keepNameUnique = (records: Records, name: string, id?: string): void => {
    if (Object.entries(records.items).some(([other, item]) => other !== id && item.type === type && item.name === name)) throw nameTaken(type);
  };

  return {
    inputs: previewable(kind.inputs).superRefine((inputs, context) => {
      const mistake = kind.findMistake?.(inputs as Props);
      if (mistake !== undefined) context.addIssue({ code: "custom", path: [mistake.property], message: mistake.reason });
    }),
    replace: kind.replace,
    deleteBeforeReplace: kind.deleteBeforeReplace ?? false,
    computed,
    create: (props, context) => {
      const inputs = kind.inputs.parse(props);
      const name = String(inputs["name"]);
      const create = (records: Records) => {
        keepNameUnique(records, name);
        const id = count(records, "id", 1000);
        const item: Item = { type, name, labels: labelsOf(inputs), inputs: props, outputs: {} };
        const effects = kind.make(records, item, inputs, id);
        records.items[id] = item;
        return { id: String(id), outputs: tell(records, String(id), item), effects };
      };
      return account.call({ on: "create", type, name }, create, after(context)).then(({ id, outputs }) => ({ id, outputs }));
    },
    update: (id, olds, props, context) => {
      const news = kind.inputs.parse(props);
      const name = String(news["name"]);
      const update = (records: Records) => {
        const item = findItem(records, type, id);
        if (item === undefined) throw notFound(kind.noun, id);
        keepNameUnique(records, name, id);
        Object.assign(item, { name, labels: labelsOf(news), inputs: props });
        const effects = kind.change?.(records, item, { id: Number(id), news, olds }) ?? [];
        return { outputs: tell(records, id, item), effects };
      };
      return account.call({ on: "update", type, name }, update, after(context)).then(({ outputs }) => outputs);
    },
    read: (id, olds) =>
      account.call({ on: "read", type, name: nameOf(id) }, (records) => {
        const item = findItem(records, type, id);
        if (item === undefined) return undefined;
        const lost = untold.filter((input) => olds[input] === undefined);
        const outputs = without(tell(records, id, item), lost);
        // Without a state this is an import, which shows what the API has, less what says nothing.
        const isImport = Object.keys(olds).length === 0;
        return { inputs: isImport ? importInputs(kind.inputs, outputs) : without(structuredClone(item.inputs), lost), outputs };
      }),
    delete: (id, olds, context) => {
      const remove = (records: Records) => {
        const item = findItem(records, type, id);
        // Somebody else's deletion is as good.
        if (item === undefined) return { effects: [] };
        if (item.inputs["deleteProtection"] === true) throw refusal("protected", `${kind.noun} is protected from deletion`);
        dropItem(records, id);
        return { effects: kind.remove?.(records, item, Number(id), olds) ?? [] };
      };
      return account.call({ on: "delete", type, name: nameOf(id) }, remove, after(context)).then(() => undefined);
    },
  };
}

function labelsOf(inputs: Record<string, unknown>): Record<string, string> {
  return Labels.parse(inputs["labels"] ?? {});
}

/** As the bridge does it (`extractSchemaInputsObject`): a required input always, an optional one unless it is what it would be anyway. */
function importInputs(schema: z.ZodObject, told: Props): Props {
  const isIdle = (value: unknown): boolean => {
    if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
    return value === undefined || value === false || value === "" || value === 0;
  };
  return Object.fromEntries(Object.entries(told).filter(([name, value]) => name in schema.shape && !isIdle(value)));
}
