import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { type Contexts, interpolate, isMet, type Status } from "./expression.ts";
import { type Job, readActions, readWorkflows, type Step } from "./workflow.ts";

/** What GitHub knows when a workflow runs. */
export interface Event {
  github: Readonly<Record<string, unknown>>;
  vars?: Readonly<Record<string, string>>;
  inputs?: Readonly<Record<string, string>>;
  /** Of the repository and of every environment, by environment; `""` are the repository's. */
  secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Who runs it. Default: one of GitHub's own. */
  runner?: "github-hosted" | "self-hosted";
}

/** The machine that runs it. */
export interface Runner {
  /** The checkout; a remote action does nothing to it. */
  workspace: string;
  /** The whole environment, but for what GitHub adds. */
  env: Readonly<Record<string, string>>;
}

/** A remote action that a step called, and what it was given. */
export interface Call {
  uses: string;
  with: Record<string, string>;
}

/** How a job has ended. */
export interface JobRun {
  result: Status | "skipped";
  outputs: Record<string, string>;
  /** As somebody reads it: secrets are starred. */
  log: string;
  summary: string;
  calls: Call[];
}

const MASK = "***";

/** Runs every job of a workflow after those that it needs, on one machine. Steps that are scripts really run; of remote actions it takes note. */
export async function runWorkflow(name: string, event: Event, runner: Runner): Promise<Record<string, JobRun>> {
  const workflow = readWorkflows()[name];
  if (workflow === undefined) throw new Error(`there is no workflow ${name}`);
  const runs: Record<string, JobRun> = {};
  for (const [id, job] of Object.entries(workflow.jobs)) {
    const needs = Object.fromEntries(job.needs.map((each) => [each, runs[each] ?? missing(`${id} needs ${each}, which has not run`)]));
    const results = Object.values(needs).map(({ result }) => result);
    // As GitHub has it: a job that was skipped skips those that need it, unless they say otherwise.
    const status = results.every((result) => result === "success") ? "success" : "failure";
    const contexts = {
      env: {},
      github: event.github,
      inputs: event.inputs ?? {},
      needs,
      runner: { os: "Linux", arch: "X64", environment: event.runner ?? "github-hosted" },
      secrets: { ...event.secrets?.[""], ...event.secrets?.[job.environment ?? ""] },
      steps: {},
      vars: event.vars ?? {},
    };
    if (isMet(job.if, contexts, status)) runs[id] = await runJob(job, { ...contexts, env: interpolateAll(workflow.env, contexts) }, runner, event);
    else runs[id] = { result: "skipped", outputs: {}, log: "", summary: "", calls: [] };
  }
  return runs;
}

async function runJob(job: Job, contexts: Contexts & { env: Record<string, string> }, runner: Runner, event: Event): Promise<JobRun> {
  if (job.uses !== undefined) {
    const called = /^\.\/\.github\/workflows\/(.+)\.yml$/.exec(job.uses)?.[1] ?? missing(`${job.uses} is no workflow of this repository`);
    const [run] = Object.values(await runWorkflow(called, { ...event, inputs: interpolateAll(job.with, contexts) }, runner));
    return run ?? missing(`${called} has no job`);
  }
  const machine = new Machine(runner, Object.values(contexts.secrets as Record<string, string>));
  try {
    await machine.runSteps(job.steps, { ...contexts, env: { ...contexts.env, ...interpolateAll(job.env, contexts) } });
    const outputs = interpolateAll(job.outputs, { ...contexts, steps: machine.steps });
    return { ...machine.end(), outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, machine.keepSecrets(name, value)])) };
  } finally {
    machine.dispose();
  }
}

/** One job's machine: what its steps have done so far. */
class Machine {
  readonly steps: Record<string, { outputs: Record<string, string>; outcome: string }> = {};
  readonly #runner: Runner;
  readonly #secrets: readonly string[];
  readonly #scratch = mkdtempSync(join(tmpdir(), "openclaw-tenants-job-"));
  readonly #calls: Call[] = [];
  readonly #env: Record<string, string> = {};
  #status: Status = "success";
  #log = "";

  constructor(runner: Runner, secrets: readonly string[]) {
    this.#runner = runner;
    this.#secrets = secrets.filter((secret) => secret !== "");
    writeFileSync(this.#file("summary"), "");
  }

  async runSteps(steps: readonly Step[], contexts: Contexts & { env: Record<string, string> }): Promise<void> {
    for (const step of steps) {
      const now = { ...contexts, steps: this.steps, env: { ...contexts.env, ...this.#env } };
      if (!isMet(step.if, now, this.#status)) {
        if (step.id !== undefined) this.steps[step.id] = { outputs: {}, outcome: "skipped" };
        continue;
      }
      if (step.uses === undefined) await this.#runScript(step, now);
      else await this.#use(step.uses, interpolateAll(step.with, now), now);
    }
  }

  end(): Omit<JobRun, "outputs"> {
    return { result: this.#status, log: this.#starred(this.#log), summary: this.#starred(readFileSync(this.#file("summary"), "utf8")), calls: this.#calls };
  }

  /** As GitHub does: an output with a secret in it is not handed on. */
  keepSecrets(name: string, value: string): string {
    if (!this.#secrets.some((secret) => value.includes(secret))) return value;
    this.#log += `Skip output '${name}' since it may contain secret.\n`;
    return "";
  }

  dispose(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  async #use(uses: string, given: Record<string, string>, contexts: Contexts & { env: Record<string, string> }): Promise<void> {
    const own = /^\.\/\.github\/actions\/(.+)$/.exec(uses)?.[1];
    if (own === undefined) {
      this.#calls.push({ uses, with: given });
      return;
    }
    const { inputs, runs } = readActions()[own] ?? missing(`${uses} is no action of this repository`);
    const defaults = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.default]));
    await this.runSteps(runs.steps, { ...contexts, inputs: { ...defaults, ...given } });
  }

  async #runScript(step: Step, contexts: Contexts & { env: Record<string, string> }): Promise<void> {
    const files = { GITHUB_ENV: "env", GITHUB_OUTPUT: "output", GITHUB_PATH: "path" };
    for (const name of Object.values(files)) writeFileSync(this.#file(name), "");
    writeFileSync(this.#file("script"), interpolate(step.run ?? "", contexts));
    const { exitCode, all } = await execa("bash", ["--noprofile", "--norc", "-eo", "pipefail", this.#file("script")], {
      cwd: this.#runner.workspace,
      env: {
        ...this.#runner.env,
        CI: "true",
        GITHUB_STEP_SUMMARY: this.#file("summary"),
        ...Object.fromEntries(Object.entries(files).map(([name, file]) => [name, this.#file(file)])),
        ...contexts.env,
        ...interpolateAll(step.env, contexts),
      },
      extendEnv: false,
      reject: false,
      all: true,
      stdin: "ignore",
    });
    this.#log += `${all}\n`;
    Object.assign(this.#env, readPairs(readFileSync(this.#file("env"), "utf8")));
    const isFine = exitCode === 0;
    if (!isFine) this.#status = "failure";
    if (step.id !== undefined)
      this.steps[step.id] = { outputs: readPairs(readFileSync(this.#file("output"), "utf8")), outcome: isFine ? "success" : "failure" };
  }

  #file(name: string): string {
    return join(this.#scratch, name);
  }

  #starred(text: string): string {
    return this.#secrets.reduce((so, secret) => so.replaceAll(secret, MASK), text);
  }
}

/** `name=value` and `name<<end … end`, as GitHub reads what a step has written. */
function readPairs(text: string): Record<string, string> {
  const pairs = text.matchAll(/^([\w-]+)(?:=(.*)|<<(\S+)\n([^]*?)\n?^\3)$/gm);
  return Object.fromEntries([...pairs].map(([, name = "", line, , block]) => [name, line ?? block ?? ""]));
}

function interpolateAll(fields: Readonly<Record<string, string>>, contexts: Contexts): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, interpolate(value, contexts)]));
}

function missing(what: string): never {
  throw new Error(what);
}
