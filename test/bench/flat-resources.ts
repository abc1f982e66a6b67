import { isObject, type Json, type JsonObject } from "../../lib/json.ts";
import { type ExportedState, isSecret } from "./fleet-state.ts";

/** One resource as a program without any structure would make it. */
export interface FlatResource {
  urn: string;
  type: string;
  name: string;
  isComponent: boolean;
  parent?: string;
  provider?: string;
  inputs: JsonObject;
  secretInputs: JsonObject;
  options: { protect?: boolean; retainOnDelete?: boolean; additionalSecretOutputs?: string[]; replacementTrigger?: Json };
  deletedWith?: string;
  replaceWith?: string[];
}

/** The same resources as a plain list. */
export function flatten({ deployment: { resources } }: ExportedState): FlatResource[] {
  const root = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.urn;
  return (
    resources
      // The engine makes the stack and default providers by itself.
      .filter(({ type, urn }) => type !== "pulumi:pulumi:Stack" && !isDefaultProvider(urn))
      .map(
        ({ urn, type, custom, parent, provider, inputs, protect, retainOnDelete, additionalSecretOutputs, replacementTrigger, deletedWith, replaceWith }) => {
          const owner = provider?.split("::").slice(0, 4).join("::");
          const values = Object.entries(withoutDefaults(type.startsWith("pulumi:providers:") ? parseLists(inputs) : inputs) as JsonObject);
          return {
            urn,
            type,
            name: urn.split("::").at(-1) ?? "",
            isComponent: !custom,
            ...(parent === undefined || parent === root ? {} : { parent }),
            ...(owner === undefined || isDefaultProvider(owner) ? {} : { provider: owner }),
            inputs: Object.fromEntries(values.filter(([, value]) => !isSecret(value))),
            secretInputs: Object.fromEntries(
              values.flatMap(([key, value]) => (isSecret(value) ? [[key, withoutDefaults(JSON.parse(value.plaintext) as Json)]] : [])),
            ),
            options: {
              ...(protect ? { protect } : {}),
              ...(retainOnDelete ? { retainOnDelete } : {}),
              ...(additionalSecretOutputs === undefined ? {} : { additionalSecretOutputs }),
              ...(replacementTrigger === undefined ? {} : { replacementTrigger }),
            },
            ...(deletedWith === undefined ? {} : { deletedWith }),
            ...(replaceWith === undefined ? {} : { replaceWith }),
          };
        },
      )
  );
}

/** Without what the provider filled in by itself. */
function withoutDefaults(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (!isObject(value) || isSecret(value)) return value;
  const filled = Array.isArray(value["__defaults"]) ? value["__defaults"] : [];
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "__defaults" && !filled.includes(key))
      .map(([key, each]) => [key, withoutDefaults(each)]),
  );
}

/** An explicit provider's inputs as its class takes them: what is no text is written down as JSON. */
function parseLists(inputs: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(inputs).map(([key, value]) => [key, typeof value === "string" && value.startsWith("[") ? (JSON.parse(value) as Json) : value]),
  );
}

function isDefaultProvider(urn: string): boolean {
  return /::pulumi:providers:\w+::default/.test(urn);
}
