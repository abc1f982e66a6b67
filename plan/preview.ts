import { UserError } from "../lib/errors.ts";
import { conjoinQuoted, quoted } from "../lib/prose.ts";
import type { Comparison, EngineAccount, EngineShare, EngineStep, Fate, Warning } from "../templates/comparison.ts";
import { type Owner, parseSteps, type Step } from "./engine-steps.ts";
import { tellInterrupted } from "./summary.ts";

/** What would be lost with a host, whether it is protected right now or not. */
const GUARDED: Readonly<Record<string, string>> = {
  "hcloud:index/primaryIp:PrimaryIp": "an address",
  "hcloud:index/server:Server": "the server",
  "hcloud:index/volume:Volume": "the data volume",
  "tls:index/privateKey:PrivateKey": "the host key",
};

/** What the engine says it would do. */
export interface Preview {
  account: EngineAccount;
  /** Everything protected that would be replaced or deleted, in words. */
  guarded: string[];
  /** Tenants whose gateway would get a new container. */
  restarted: string[];
}

/** Of an engine that stopped before it said anything. */
export const NO_PREVIEW: Preview = { account: { isComplete: false, shares: [], steps: [] }, guarded: [], restarted: [] };

/** Reads what the engine's `preview --json` printed. Throws a UserError when it is something else. */
export function parsePreview(text: string): Preview {
  const { steps, isComplete } = parseSteps(text);
  return {
    account: {
      isComplete,
      shares: addUp(steps.filter(({ state }) => state.custom)),
      steps: steps
        .filter(({ state }) => state.custom)
        .map(describeStep)
        .toSorted(byOwner),
    },
    guarded: steps.filter(isGuarded).map(describeLoss).toSorted(),
    restarted: steps
      .flatMap(({ name, fate, owner }) => (fate === "replaced" && owner.kind === "tenant" && name === `${owner.id}-gateway` ? [owner.id] : []))
      .toSorted(),
  };
}

/** The comparison with what the engine knows on top. */
export function withPreview(comparison: Comparison, { account, guarded, restarted }: Preview): Comparison {
  const danger = (text: string): Warning => ({ level: "danger", text });
  const unforeseen = restarted.filter((id) => !comparison.interrupted.includes(id));
  const warnings = [
    ...(account.isComplete ? [] : [danger("the engine's preview did not get to its end; its log says why")]),
    ...(guarded.length === 0
      ? []
      : [danger(`the engine would replace or delete what is guarded: ${guarded.join("; ")}. The check passes only where that is allowed`)]),
    ...comparison.warnings,
    ...tellUnforeseen(unforeseen),
  ];
  return unforeseen.length === 0 ? { ...comparison, warnings } : { ...withInterrupted(comparison, unforeseen), warnings };
}

/** The second sentence of a summary says who is interrupted; where the files change nothing there is none yet. */
function withInterrupted(comparison: Comparison, ids: readonly string[]): Comparison {
  const [change = "", , ...rest] = comparison.summary;
  const interrupted = [...comparison.interrupted, ...ids].toSorted();
  const first = comparison.summary.length === 1 ? "Nothing changes in the list and the settings." : change;
  return { ...comparison, interrupted, summary: [first, tellInterrupted(interrupted, comparison.hosts), ...rest] };
}

function tellUnforeseen(ids: readonly string[]): Warning[] {
  if (ids.length === 0) return [];
  return [{ level: "notice", text: `by the engine's account ${conjoinQuoted(ids, 12)} restart${ids.length === 1 ? "s" : ""} as well` }];
}

function isGuarded(step: Step): boolean {
  return (step.fate === "deleted" || step.fate === "replaced") && (step.state.protect || nameGuarded(step) !== undefined);
}

/** What of a host it is. Other keys belong to certificates, which come and go with Cloudflare. */
function nameGuarded({ type, owner }: Step): string | undefined {
  return type.startsWith("hcloud:") || owner.kind === "host" ? GUARDED[type] : undefined;
}

function describeLoss(step: Step): string {
  const { name, fate, state, owner } = step;
  const part = nameGuarded(step);
  const what = part === undefined || owner.kind !== "host" ? quoted(name) : `${part} of ${quoted(owner.id)} (${quoted(name)})`;
  return `${what} is ${fate === "deleted" && state.retainOnDelete ? "given up and stays behind" : fate}`;
}

/**
 * URNs that an update of one tenant alone is for: what becomes of it, whatever is created on its hosts or for all because it needs that, and the
 * routes of its hosts. Throws a UserError when another tenant is to move, or the preview did not get to its end.
 */
export function targetsOf(text: string, { id, hosts }: { id: string; hosts: readonly string[] }): string[] {
  const { steps, isComplete } = parseSteps(text);
  const moving = findMoving(steps).find((each) => each !== id);
  if (moving !== undefined)
    throw new UserError(`tenant "${moving}" is to move, and an update of "${id}" alone would forget where its data is`, {
      hint: "update the whole fleet instead",
    });
  if (!isComplete) throw new UserError("the preview did not get to its end", { hint: "its log says why" });
  const isNeeded = ({ owner, fate, name }: Step): boolean => {
    switch (owner.kind) {
      case "tenant":
        return owner.id === id;
      case "host":
        return hosts.includes(owner.id) && (fate === "created" || name === `${owner.id}-load`);
      case "stack":
        return fate === "created";
    }
  };
  return steps.some(({ owner }) => owner.kind === "tenant" && owner.id === id) ? steps.filter(isNeeded).map(({ urn }) => urn) : [];
}

/** Tenants whose data is to go to another host. An update of anybody writes down the places that the list names, and the move would find nothing to carry. */
function findMoving(steps: readonly Step[]): string[] {
  return steps.flatMap(({ fate, type, name, owner }) =>
    owner.kind === "tenant" && type === "docker:index/volume:Volume" && name === `${owner.id}-state` && fate === "replaced" ? [owner.id] : [],
  );
}

function describeStep({ fate, type, name, inputs, state, owner }: Step): EngineStep {
  return {
    fate,
    type: type.replace(/:.*:/, ":"),
    name,
    owner: nameOwner(owner),
    inputs,
    isKept: fate === "deleted" && state.retainOnDelete,
    hasDirectory: state.inputs !== undefined,
  };
}

function nameOwner({ kind, id }: Owner): string {
  return kind === "stack" ? "all" : `${kind} ${quoted(id)}`;
}

/** Tenants first, then hosts, then what all share. */
function addUp(steps: readonly Step[]): EngineShare[] {
  const groups = Map.groupBy(steps, ({ owner }) => nameOwner(owner));
  return [...groups]
    .map(([owner, group]): EngineShare => {
      const number = (fate: Fate): number => group.filter((each) => each.fate === fate).length;
      const kept = group.filter(({ fate, state }) => fate === "deleted" && state.retainOnDelete).length;
      return { owner, created: number("created"), updated: number("updated"), replaced: number("replaced"), deleted: number("deleted") - kept, kept };
    })
    .toSorted(byOwner);
}

function byOwner(a: Pick<EngineStep, "owner"> & { name?: string }, b: Pick<EngineStep, "owner"> & { name?: string }): number {
  const rank = ({ owner }: Pick<EngineStep, "owner">): number => (owner.startsWith("tenant") ? 0 : owner.startsWith("host") ? 1 : 2);
  const key = ({ owner, name = "" }: typeof a): string => `${owner} ${name}`;
  return rank(a) - rank(b) || (key(a) < key(b) ? -1 : 1);
}
