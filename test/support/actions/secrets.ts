import { readActions, readWorkflows, type Step } from "./workflow.ts";

/** What steps get, by where they stand and what they run: `deploy deploy: npm run health`. */
type Given = Record<string, string[]>;

/** A whole value; anything longer is a stray one. */
const SECRET = /^\$\{\{ (?:secrets\.(\w+)|(github\.token)) \}\}$/;
const INPUT = /^\$\{\{ inputs\.([\w-]+) \}\}$/;

/** What a script is there for. */
const COMMANDS = /\b(?:pulumi (?:preview|stack output|up)|npm run (?:--silent )?[\w-]+|gh api|ssh-add)\b/g;

/** The secrets of every step that a workflow hands any, and GitHub's own token. */
export function findSecrets(dir?: string): Given {
  const ofJob = ([name, { steps }]: [string, { steps: Step[] }]): [string, string[]][] => steps.map((step) => [`${name}: ${runs(step)}`, given(step, SECRET)]);
  const jobs = Object.entries(readWorkflows(dir)).flatMap(([name, workflow]) =>
    Object.entries(workflow.jobs).map(([id, job]): [string, { steps: Step[] }] => [`${name} ${id}`, job]),
  );
  return collect(jobs.flatMap(ofJob));
}

/** The inputs of every step of this repository's own actions: that is how a secret reaches them. */
export function findInputs(dir?: string): Given {
  const actions = Object.entries(readActions(dir));
  return collect(actions.flatMap(([name, action]) => action.runs.steps.map((step): [string, string[]] => [`${name}: ${runs(step)}`, given(step, INPUT)])));
}

/** Secrets that are no step's own: in the environment of a workflow or a job, a script, a condition, an output, or all of them at once. */
export function findStraySecrets(dir?: string): string[] {
  const workflows = Object.entries(readWorkflows(dir)).flatMap(([name, { jobs, ...workflow }]) => [
    ...mentioned(name, workflow),
    ...Object.entries(jobs).flatMap(([id, { steps, ...job }]) => mentioned(`${name} ${id}`, [job, steps.map(withoutSecrets)])),
  ]);
  const actions = Object.entries(readActions(dir)).flatMap(([name, { runs: own }]) => mentioned(name, own.steps.map(withoutSecrets)));
  return [...workflows, ...actions];
}

function mentioned(place: string, fields: unknown): string[] {
  return (JSON.stringify(fields).match(/\bsecrets\b(?:\.\w+)?|\bgithub\.token\b|\bgithub\s*[[)]/g) ?? []).map((what) => `${place}: ${what}`);
}

function withoutSecrets({ env, with: inputs, ...step }: Step): unknown {
  return { ...step, values: [...Object.values(env), ...Object.values(inputs)].filter((value) => !SECRET.test(value)) };
}

function runs({ uses, run = "" }: Step): string {
  return uses?.split("@", 1)[0] ?? [...new Set(run.match(COMMANDS))].join(", ").replaceAll("--silent ", "");
}

function given({ env, with: inputs }: Step, pattern: RegExp): string[] {
  const values = [...Object.values(env), ...Object.values(inputs)];
  return values.flatMap((value) => pattern.exec(value)?.slice(1).find(Boolean) ?? []).toSorted();
}

function collect(steps: readonly [string, string[]][]): Given {
  const all: Given = {};
  for (const [step, names] of steps) {
    if (names.length === 0) continue;
    if (step in all) throw new Error(`two steps go by the name "${step}"`);
    all[step] = names;
  }
  return all;
}
