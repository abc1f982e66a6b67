import { z } from "zod";

import { UserError } from "../lib/errors.ts";
import type { Fate } from "../templates/comparison.ts";

/** The parts of a resource that are looked at. Of its inputs that is what a volume of Docker's is a name for; outputs are not. */
const State = z.object({
  custom: z.boolean().default(false),
  parent: z.string().default(""),
  protect: z.boolean().default(false),
  retainOnDelete: z.boolean().default(false),
  inputs: z
    .object({ driverOpts: z.object({ o: z.literal("bind") }) })
    .optional()
    .catch(undefined),
});
type State = z.output<typeof State>;

/** What `pulumi preview --json` prints. Source: PreviewDigest, pkg/display/json.go of the engine. */
const Digest = z.object({
  steps: z
    .array(
      z.object({
        op: z.string(),
        urn: z.string(),
        oldState: State.optional(),
        newState: State.optional(),
        diffReasons: z.array(z.string()).nullish(),
        detailedDiff: z.record(z.string(), z.unknown()).nullish(),
      }),
    )
    .default([]),
  diagnostics: z.array(z.object({ severity: z.string().default(""), message: z.string().default("") })).default([]),
});

/** How the SDK begins to tell an error that no program should throw. Source: cmd/run/run.ts of the SDK for Node. */
const UNFORESEEN = "failed with an unhandled exception";
/** What a login said that failed, at the end of the Docker plug-in's long line; it comes once for every resource. */
const LOGIN = /\bstderr=(ssh: .+|[^\n]*Permission denied .+|Host key verification failed.+)/;
/** A line of a stack, in colours. */
const FRAME = /^(?:\s|\u001B\[\d+m)*at /;

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
  urn: string;
  name: string;
  type: string;
  fate: Fate;
  /** Inputs that differ, by name. */
  inputs: string[];
  state: State;
  owner: Owner;
}

/** Whom a resource belongs to. */
export interface Owner {
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
      if (fate === undefined) return [];
      const differing = all.flatMap(({ diffReasons, detailedDiff }) => [...(diffReasons ?? []), ...Object.keys(detailedDiff ?? {})]);
      const inputs = [...new Set(differing.map((path) => path.split(/[.[]/, 1)[0] ?? ""))].toSorted();
      return [{ urn, name: urn.split("::").at(-1) ?? "", type: typeOf(urn), fate, inputs, state, owner: ownerOf(urn, state.parent) }];
    }),
    isComplete: !diagnostics.some(({ severity }) => severity === "error"),
  };
}

/**
 * What stopped the engine, in words, each once. Of what the program itself threw no more than where: that may quote a secret, and the engine knows only those of
 * the config. Throws a UserError when the text is something else.
 */
export function parseErrors(text: string): string[] {
  const errors = parseDigest(text).diagnostics.filter(({ severity }) => severity === "error");
  const words = errors.map(({ message }) => {
    const login = LOGIN.exec(message)?.[1];
    if (login !== undefined) return login;
    const frames = message.split("\n").filter((line) => FRAME.test(line));
    if (frames.length === 0 && !message.includes(UNFORESEEN)) return message;
    return ["the program threw an error, whose words may hold a secret and are not told here", ...frames].join("\n");
  });
  return [...new Set(words)];
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

/** A component belongs to itself, a resource to the component it is a part of. */
function ownerOf(urn: string, parent: string): Owner {
  const owner = typeOf(urn).startsWith("openclaw:") ? urn : parent;
  const id = owner.split("::").at(-1) ?? "";
  switch (typeOf(owner)) {
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
