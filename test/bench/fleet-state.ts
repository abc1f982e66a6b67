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
  retainOnDelete: z.boolean().default(false),
  additionalSecretOutputs: z.array(z.string()).optional(),
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
 * The state of a larger fleet, grown from a real one: every new tenant gets copies of the last real tenant's resources under its own names, ports
 * and files. Whether that is what the program would have made, a preview that must find no changes says.
 */
export function growState(state: ExportedState, before: Fleet, after: Fleet): ExportedState {
  const [host, grown] = [only(before.hosts), only(after.hosts)];
  const model = host.tenants.at(-1);
  if (model === undefined) throw new Error("there is no tenant to copy");
  const added = grown.tenants.filter(({ id }) => !host.tenants.some((tenant) => tenant.id === id));
  const own = state.deployment.resources.filter(({ urn }) => new RegExp(`::${model.id}(-[a-z-]+)?$`).test(urn));
  const all = state.deployment.resources.map((resource) => ({
    ...(replaceIn(resource as JsonObject, [[host.routes, grown.routes]]) as StateResource),
    ...(resource.type === "pulumi:pulumi:Stack" ? { outputs: growOutputs(resource.outputs, model, added) } : {}),
  }));
  const copies = added.flatMap((tenant) => own.map((resource) => replaceIn(resource as JsonObject, wordsOf(model, tenant)) as StateResource));
  return { ...state, deployment: { ...state.deployment, resources: [...all, ...copies] } };
}

function growOutputs(outputs: JsonObject, model: PlannedTenant, added: readonly PlannedTenant[]): JsonObject {
  const grow = (all: JsonObject): JsonObject => ({
    ...all,
    ...Object.fromEntries(added.map((tenant) => [tenant.id, replaceIn(all[model.id] ?? null, wordsOf(model, tenant))])),
  });
  const { tenants, tokens } = outputs;
  if (!isObject(tenants) || !isSecret(tokens)) throw new Error("the state has no outputs of tenants and tokens");
  return { ...outputs, tenants: grow(tenants), tokens: { ...tokens, plaintext: JSON.stringify(grow(JSON.parse(tokens.plaintext) as JsonObject)) } };
}

/** What differs between two tenants in everything that is written down of them. */
function wordsOf(from: PlannedTenant, to: PlannedTenant): [string | number, string | number][] {
  return [
    [from.configFile.text, to.configFile.text],
    [from.configFile.file, to.configFile.file],
    [from.subnet, to.subnet],
    [from.gatewayIp, to.gatewayIp],
    [from.id, to.id],
    [from.port, to.port],
  ];
}

function replaceIn(value: Json, words: readonly (readonly [string | number, string | number])[]): Json {
  if (typeof value === "string")
    return words.reduce<string>((text, [from, to]) => (typeof from === "string" ? text.replaceAll(from, String(to)) : text), value);
  if (typeof value === "number") return words.find(([from]) => from === value)?.[1] ?? value;
  if (Array.isArray(value)) return value.map((each) => replaceIn(each, words));
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replaceIn(each, words)])) : value;
}

/** Whether an exported value is a secret. */
export function isSecret(value: Json | undefined): value is Secret {
  return isObject(value) && SECRET_MARK in value;
}

function only<T>(all: readonly T[]): T {
  const [first, ...others] = all;
  if (first === undefined || others.length > 0) throw new Error(`one is expected, there are ${all.length}`);
  return first;
}
