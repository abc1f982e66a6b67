import { z } from "zod";

import { type Json, type JsonObject, isObject } from "../../lib/json.ts";
import type { Fleet } from "../../plan/fleet.ts";
import type { PlannedTenant } from "../../plan/host.ts";

/** How the engine marks a secret in what it exports. */
const SECRET_MARK = "4dabf18193072939515e22adb298388d";

/** A secret, exported in the clear: its value as JSON text. */
type Secret = JsonObject & { plaintext: string };

const Resource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  custom: z.boolean().default(false),
  parent: z.string().optional(),
  provider: z.string().optional(),
  inputs: z.record(z.string(), z.json()).default({}),
  outputs: z.record(z.string(), z.json()).default({}),
  protect: z.boolean().default(false),
  retainOnDelete: z.boolean().default(false),
  additionalSecretOutputs: z.array(z.string()).optional(),
  deletedWith: z.string().optional(),
  replaceWith: z.array(z.string()).optional(),
  replacementTrigger: z.json().optional(),
});
const State = z.looseObject({ deployment: z.looseObject({ resources: z.array(Resource) }) });

/** What `pulumi stack export --show-secrets` prints. */
export type ExportedState = z.output<typeof State>;
type StateResource = z.output<typeof Resource>;

/** Reads an exported state. */
export function parseState(text: string): ExportedState {
  return State.parse(JSON.parse(text));
}

/**
 * The state of a larger fleet, grown from a real one: every new tenant gets copies of the resources of its host's last real tenant, under its own
 * names, ports and files. Whether that is what the program would have made, a preview that must find no changes says.
 */
export function growState(state: ExportedState, before: Fleet, after: Fleet): ExportedState {
  const hosts = after.hosts.map(({ id, routes, tenants }) => {
    const host = before.hosts.find((each) => each.id === id);
    const model = host?.tenants.at(-1);
    if (host === undefined || model === undefined) throw new Error(`host ${id} has no tenant to copy`);
    return { model, routes: [host.routes, routes] as const, added: tenants.filter((tenant) => !host.tenants.some((each) => each.id === tenant.id)) };
  });
  const replaceRoutes = replacer(hosts.map(({ routes }) => routes));
  const { resources } = state.deployment;
  const all = resources.map((resource) => ({
    ...(replaceRoutes(resource as JsonObject) as StateResource),
    ...(resource.type === "pulumi:pulumi:Stack"
      ? { outputs: hosts.reduce((outputs, { model, added }) => growOutputs(outputs, model, added), resource.outputs) }
      : {}),
  }));
  const copies = hosts.flatMap(({ model, added }) => {
    const own = resources.filter(({ urn }) => new RegExp(`::${model.id}(-[a-z-]+)?$`).test(urn));
    return added.flatMap((tenant) => {
      const replace = replacer(wordsOf(model, tenant));
      return own.map((resource) => replace(resource as JsonObject) as StateResource);
    });
  });
  return { ...state, deployment: { ...state.deployment, resources: [...all, ...copies] } };
}

function growOutputs(outputs: JsonObject, model: PlannedTenant, added: readonly PlannedTenant[]): JsonObject {
  const grow = (all: JsonObject): JsonObject => ({
    ...all,
    ...Object.fromEntries(added.map((tenant) => [tenant.id, replacer(wordsOf(model, tenant))(all[model.id] ?? null)])),
  });
  const { tenants, tokens } = outputs;
  if (!isObject(tenants) || !isSecret(tokens)) throw new Error("the state has no outputs of tenants and tokens");
  return { ...outputs, tenants: grow(tenants), tokens: { ...tokens, plaintext: JSON.stringify(grow(JSON.parse(tokens.plaintext) as JsonObject)) } };
}

/** What stands in the place of what. */
type Words = readonly (readonly [string | number, string | number])[];

/** What differs between two tenants in everything that is written down of them. */
function wordsOf(from: PlannedTenant, to: PlannedTenant): Words {
  return [
    [from.configFile.text, to.configFile.text],
    [from.configFile.file, to.configFile.file],
    [from.subnet, to.subnet],
    [from.gatewayIp, to.gatewayIp],
    [from.id, to.id],
    [from.port, to.port],
  ];
}

/** Puts every word in its place at once: what was put in may look like another word, as the second subnet does like the first one's gateway. */
function replacer(words: Words): (value: Json) => Json {
  const known = new Map(words);
  const texts = [...known.keys()].filter((word) => typeof word === "string").toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(texts.map((text) => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)).join("|"), "g");
  const replace = (value: Json): Json => {
    if (typeof value === "string") return value.replaceAll(pattern, (text) => String(known.get(text)));
    if (typeof value === "number") return known.get(value) ?? value;
    if (Array.isArray(value)) return value.map(replace);
    return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replace(each)])) : value;
  };
  return replace;
}

/** Whether an exported value is a secret. */
export function isSecret(value: Json | undefined): value is Secret {
  return isObject(value) && SECRET_MARK in value;
}
