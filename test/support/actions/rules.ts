import { readFileSync } from "node:fs";
import { join } from "node:path";

import { z } from "zod";

import { KNOWN_INPUTS } from "./inputs.ts";
import { type Action, readActions, readWorkflows, type Step } from "./workflow.ts";

/** A step, or a job that is another workflow, and where it stands. */
interface Place {
  file: string;
  /** Absent: a step of an action. */
  job?: string;
  step: Pick<Step, "env" | "if" | "run" | "uses" | "with"> & { shell?: unknown };
}

const Required = z.looseObject({ required: z.boolean().default(false) });
const Called = z.looseObject({ on: z.looseObject({ workflow_call: z.looseObject({ inputs: z.record(z.string(), Required).default({}) }) }) });

/** Every step and every call of a `.github` folder. */
export function findPlaces(dir?: string): Place[] {
  const ofWorkflows = Object.entries(readWorkflows(dir)).flatMap(([name, { jobs }]) =>
    Object.entries(jobs).flatMap(([job, { uses, with: given, env, steps }]) =>
      (uses === undefined ? steps : [{ uses, with: given, env }]).map((step): Place => ({ file: `workflows/${name}.yml`, job, step })),
    ),
  );
  const ofActions = Object.entries(readActions(dir)).flatMap(([name, { runs }]) =>
    runs.steps.map((step): Place => ({ file: `actions/${name}/action.yml`, step })),
  );
  return [...ofWorkflows, ...ofActions];
}

/** Remote actions that may change under us: without a whole hash, without the version beside it, or with two of them in use. */
export function findUnpinned(dir: string): string[] {
  const pins = new Map<string, string>();
  return findPlaces(dir).flatMap(({ file, step: { uses } }) => {
    if (uses === undefined || uses.startsWith("./")) return [];
    const text = readFileSync(join(dir, file), "utf8");
    const [repository = "", hash = ""] = uses.split("@", 2);
    const version = text
      .split("\n")
      .find((line) => line.includes(`uses: ${uses} #`))
      ?.match(/ # (v\d+\.\d+\.\d+)$/)?.[1];
    if (!/^[0-9a-f]{40}$/.test(hash) || version === undefined) return [`${file}: ${uses} is not pinned by a hash with its version beside it`];
    const pin = `${hash} # ${version}`;
    const other = pins.get(repository) ?? pin;
    pins.set(repository, other);
    return other === pin ? [] : [`${file}: ${repository} is ${version} here and something else elsewhere`];
  });
}

/** What is given to an action or a workflow that does not know it, and what it misses. */
export function findWrongInputs(dir?: string): string[] {
  return findPlaces(dir).flatMap(({ file, step: { uses, with: given } }) => {
    if (uses === undefined) return [];
    const known = inputsOf(uses, dir);
    if (known === undefined) return [`${file}: nobody knows the inputs of ${uses}`];
    const names = Object.keys(given);
    return [
      ...names.filter((name) => ![...known.required, ...known.optional].includes(name)).map((name) => `${file}: ${uses} has no input ${name}`),
      ...known.required.filter((name) => !names.includes(name)).map((name) => `${file}: ${uses} misses ${name}`),
    ];
  });
}

function inputsOf(uses: string, dir: string | undefined): { required: readonly string[]; optional: readonly string[] } | undefined {
  const [, kind, name = ""] = /^\.\/\.github\/(actions|workflows)\/([\w-]+)(?:\.yml)?$/.exec(uses) ?? [];
  if (kind === undefined) return KNOWN_INPUTS[uses.split("@", 1)[0] ?? ""];
  const inputs = kind === "actions" ? readActions(dir)[name]?.inputs : Called.safeParse(readWorkflows(dir)[name]).data?.on.workflow_call.inputs;
  return inputs === undefined ? undefined : sortByNeed(inputs);
}

function sortByNeed(inputs: Action["inputs"] | Record<string, z.output<typeof Required>>): { required: string[]; optional: string[] } {
  const isRequired = (name: string): boolean => Required.parse(inputs[name]).required;
  const names = Object.keys(inputs);
  return { required: names.filter(isRequired), optional: names.filter((name) => !isRequired(name)) };
}

/** Scripts into which GitHub pastes what somebody else may have written; a variable of the step's hands it over as it is. */
export function findInjections(dir?: string): string[] {
  return findPlaces(dir).flatMap(({ file, step: { run = "" } }) => (run.match(/\$\{\{.*?\}\}/gs) ?? []).map((text) => `${file}: a script contains ${text}`));
}

/** Scripts of a shell that goes on after a failure in the middle of a pipe: GitHub sets pipefail only where `bash` is asked for by name. */
export function findLooseScripts(dir?: string): string[] {
  const Defaults = z.looseObject({ defaults: z.object({ run: z.object({ shell: z.string() }) }).optional() });
  const defaults = Object.fromEntries(
    Object.entries(readWorkflows(dir)).map(([name, workflow]) => [`workflows/${name}.yml`, Defaults.parse(workflow).defaults?.run.shell]),
  );
  return findPlaces(dir).flatMap(({ file, step: { run, shell = defaults[file] } }) =>
    run === undefined || shell === "bash" ? [] : [`${file}: a script runs in ${typeof shell === "string" ? shell : "whatever there is"}`],
  );
}

/** Checkouts that leave the job's token in the folder, for everything that runs there later. */
export function findKeptCredentials(dir?: string): string[] {
  return findPlaces(dir).flatMap(({ file, step: { uses, with: given } }) =>
    uses?.startsWith("actions/checkout@") === true && given["persist-credentials"] !== "false" ? [`${file}: a checkout keeps the token`] : [],
  );
}
