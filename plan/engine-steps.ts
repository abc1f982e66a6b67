import { z } from "zod";

import { UserError } from "../lib/errors.ts";

/** The parts of a resource that are looked at; inputs and outputs are not. */
const State = z.object({
  custom: z.boolean().default(false),
  parent: z.string().default(""),
  protect: z.boolean().default(false),
  retainOnDelete: z.boolean().default(false),
});
type State = z.output<typeof State>;

/** What `pulumi preview --json` prints. Source: PreviewDigest, pkg/display/json.go of the engine. */
const Digest = z.object({
  steps: z.array(z.object({ op: z.string(), urn: z.string(), oldState: State.optional(), newState: State.optional() })).default([]),
  diagnostics: z.array(z.object({ severity: z.string().default("") })).default([]),
});

/** What becomes of a resource. */
export type Fate = "created" | "deleted" | "replaced" | "updated";

/** The engine's operations that come to something; a replacement is made of several. */
const FATES: Readonly<Record<string, Fate>> = {
  create: "created",
  import: "created",
  update: "updated",
  delete: "deleted",
  replace: "replaced",
  "create-replacement": "replaced",
  "delete-replaced": "replaced",
  "import-replacement": "replaced",
};

/** What becomes of one resource, and whose it is. */
export interface Step {
  name: string;
  type: string;
  fate: Fate;
  state: State;
  owner: Owner;
}

/** Whom a resource belongs to. */
interface Owner {
  kind: "host" | "stack" | "tenant";
  id: string;
}

/** Reads what `pulumi preview --json` printed: its steps, and whether it got to its end. Throws a UserError when it is something else. */
export function parseSteps(text: string): { steps: Step[]; isComplete: boolean } {
  const { steps, diagnostics } = parseDigest(text);
  return {
    steps: [...Map.groupBy(steps, ({ urn }) => urn)].flatMap(([urn, all]): Step[] => {
      const fate = worst(all.flatMap(({ op }) => FATES[op] ?? []));
      // What it was counts for more than what it will be.
      const state = all.find(({ oldState }) => oldState !== undefined)?.oldState ?? all[0]?.newState ?? State.parse({});
      return fate === undefined ? [] : [{ name: urn.split("::").at(-1) ?? "", type: typeOf(urn), fate, state, owner: ownerOf(state.parent) }];
    }),
    isComplete: !diagnostics.some(({ severity }) => severity === "error"),
  };
}

/** What several operations on one resource come to. */
function worst(fates: readonly Fate[]): Fate | undefined {
  if (fates.includes("deleted") && fates.includes("created")) return "replaced";
  return (["replaced", "deleted", "created", "updated"] as const).find((fate) => fates.includes(fate));
}

/** The parser's own words would quote what stands there. */
function parseDigest(text: string): z.output<typeof Digest> {
  try {
    return Digest.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError("this is no preview of the engine's", { hint: "make it with: pulumi preview --json > preview.json", cause: error });
  }
}

/** `hcloud:index/server:Server` of a URN that holds the types of all its parents. */
function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function ownerOf(parent: string): Owner {
  const [type, id = ""] = [typeOf(parent), parent.split("::").at(-1)];
  switch (type) {
    case "openclaw:index:Gateway":
      return { kind: "tenant", id };
    case "openclaw:index:Dns":
      return id === "*" ? { kind: "stack", id: "" } : { kind: "tenant", id };
    case "openclaw:index:Edge":
    case "openclaw:index:HetznerHost":
    case "openclaw:index:Host":
      return { kind: "host", id };
    default:
      return { kind: "stack", id: "" };
  }
}
