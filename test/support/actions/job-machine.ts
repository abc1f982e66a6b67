import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { type Contexts, interpolate, interpolateAll, isMet } from "./expression.ts";
import { readPairs } from "./file-commands.ts";
import { readActions, type Step } from "./workflow.ts";

/** The machine that runs a job. */
export interface Runner {
  /** What `actions/checkout` brings: every job that calls it gets a copy of its own. No other action from elsewhere does anything. */
  workspace: string;
  /** The whole environment, but for what GitHub adds. */
  env: Readonly<Record<string, string>>;
  /** `.github` with the workflows and actions. Default: that of the checkout under test. */
  definitions?: string;
}

/** An action from elsewhere that a step called, and what it was given. */
export interface Call {
  uses: string;
  with: Record<string, string>;
}

/** What a job has come to. */
export interface JobRun {
  result: "failure" | "skipped" | "success";
  outputs: Record<string, string>;
  /** As somebody reads it: secrets are starred. */
  log: string;
  summary: string;
  calls: Call[];
}

/** The contexts of a step. */
export type StepContexts = Contexts & { env: Record<string, string> };

interface StepRun {
  outputs: Record<string, string>;
  outcome: JobRun["result"];
}

const MASK = "***";

/** One job's machine: what its steps have done so far. */
export class JobMachine {
  readonly #runner: Runner;
  readonly #masked: readonly string[];
  readonly #scratch = mkdtempSync(join(tmpdir(), "openclaw-tenants-job-"));
  readonly #calls: Call[] = [];
  readonly #env: Record<string, string> = {};
  #result: "failure" | "success" = "success";
  #log = "";

  constructor(runner: Runner, secrets: readonly string[]) {
    this.#runner = runner;
    // GitHub stars a secret of several lines line by line as well. The longest first: one may hold another.
    const lines = secrets.flatMap((secret) => [secret.trim(), ...secret.split(/[\r\n]+/).map((line) => line.trim())]);
    this.#masked = [...new Set(lines)].filter((line) => line !== "").toSorted((a, b) => b.length - a.length);
    writeFileSync(this.#file("summary"), "");
    mkdirSync(this.#file("workspace"));
  }

  /** Runs steps one after another and gives what those with an id came to. */
  async runSteps(steps: readonly Step[], contexts: StepContexts): Promise<Record<string, StepRun>> {
    const runs: Record<string, StepRun> = {};
    for (const step of steps) {
      // What a step has written to GITHUB_ENV wins over the job's own.
      const now = { ...contexts, steps: runs, env: { ...contexts.env, ...this.#env } };
      const run: StepRun = isMet(step.if, now, this.#result) ? await this.#runStep(step, now) : { outputs: {}, outcome: "skipped" };
      if (run.outcome === "failure") this.#result = "failure";
      if (step.id !== undefined) runs[step.id] = run;
    }
    return runs;
  }

  /** What came of it, with these outputs. One with a secret in it is not handed on, as GitHub has it. */
  end(outputs: Readonly<Record<string, string>>): JobRun {
    const isHandedOn = (name: string): boolean => this.#starred(outputs[name] ?? "") === outputs[name];
    for (const name of Object.keys(outputs)) if (!isHandedOn(name)) this.#log += `Skip output '${name}' since it may contain secret.\n`;
    return {
      result: this.#result,
      outputs: Object.fromEntries(Object.entries(outputs).filter(([name]) => isHandedOn(name))),
      log: this.#starred(this.#log),
      summary: this.#starred(readFileSync(this.#file("summary"), "utf8")),
      calls: this.#calls,
    };
  }

  dispose(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  async #runStep(step: Step, contexts: StepContexts): Promise<StepRun> {
    return step.uses === undefined ? await this.#runScript(step, contexts) : await this.#use(step.uses, interpolateAll(step.with, contexts), contexts);
  }

  async #use(uses: string, given: Record<string, string>, contexts: StepContexts): Promise<StepRun> {
    const own = /^\.\/\.github\/actions\/(.+)$/.exec(uses)?.[1];
    if (own === undefined) {
      this.#calls.push({ uses, with: given });
      if (uses.startsWith("actions/checkout@")) cpSync(this.#runner.workspace, this.#file("workspace"), { recursive: true, verbatimSymlinks: true });
      return { outputs: {}, outcome: "success" };
    }
    const action = readActions(this.#runner.definitions)[own];
    if (action === undefined) throw new Error(`${uses} is no action of this repository`);
    const defaults = Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, input.default]));
    const before = this.#result;
    // An action is told its inputs, and no secret beside them.
    await this.runSteps(action.runs.steps, { ...contexts, secrets: {}, inputs: { ...defaults, ...given } });
    return { outputs: {}, outcome: this.#result === "failure" && before === "success" ? "failure" : "success" };
  }

  async #runScript(step: Step, contexts: StepContexts): Promise<StepRun> {
    const [env, output, script] = ["env", "output", "script"].map((name) => this.#file(name)) as [string, string, string];
    for (const file of [env, output]) writeFileSync(file, "");
    writeFileSync(script, interpolate(step.run ?? "", contexts));
    const { exitCode, all } = await execa("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
      cwd: this.#file("workspace"),
      env: {
        ...this.#runner.env,
        ...contexts.env,
        ...interpolateAll(step.env, contexts),
        CI: "true",
        GITHUB_ACTIONS: "true",
        GITHUB_ENV: env,
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: this.#file("summary"),
      },
      extendEnv: false,
      reject: false,
      all: true,
      stdin: "ignore",
    });
    this.#log += `${all}\n`;
    try {
      Object.assign(this.#env, readPairs(readFileSync(env, "utf8")));
      return { outputs: readPairs(readFileSync(output, "utf8")), outcome: exitCode === 0 ? "success" : "failure" };
    } catch (error) {
      this.#log += `${String(error)}\n`;
      return { outputs: {}, outcome: "failure" };
    }
  }

  #file(name: string): string {
    return join(this.#scratch, name);
  }

  #starred(text: string): string {
    return this.#masked.reduce((so, secret) => so.replaceAll(secret, MASK), text);
  }
}
