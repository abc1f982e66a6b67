import { type Contexts, interpolateAll, isMet, type Status } from "./expression.ts";
import { JobMachine, type JobRun, type Runner } from "./job-machine.ts";
import { type Job, readWorkflows, type Workflow } from "./workflow.ts";

export type { JobRun, Runner } from "./job-machine.ts";

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

/** A run of which one job, and what needs it, is run again. */
export interface Again {
  job: string;
  earlier: Readonly<Record<string, JobRun>>;
}

const SKIPPED: JobRun = { result: "skipped", outputs: {}, log: "", summary: "", calls: [] };

/** Runs every job of a workflow after those that it needs. Steps that are scripts really run; of actions from elsewhere it takes note. */
export async function runWorkflow(name: string, event: Event, runner: Runner, again?: Again): Promise<Record<string, JobRun>> {
  const workflow = readWorkflows(runner.definitions)[name];
  if (workflow === undefined) throw new Error(`there is no workflow ${name}`);
  const runs: Record<string, JobRun> = {};
  const fresh = new Set<string>();
  for (const [id, job] of Object.entries(workflow.jobs)) {
    const earlier = again?.earlier[id];
    const isRun = earlier === undefined || id === again?.job || job.needs.some((each) => fresh.has(each));
    if (isRun) fresh.add(id);
    runs[id] = isRun ? await runJob(job, contextsOf(job, workflow, runs, event), statusOf(job, workflow.jobs, runs), event, runner) : earlier;
  }
  return runs;
}

async function runJob(job: Job, contexts: Contexts & { env: Record<string, string> }, status: Status, event: Event, runner: Runner): Promise<JobRun> {
  if (!isMet(job.if, contexts, status)) return SKIPPED;
  if (job.uses !== undefined) {
    const called = /^\.\/\.github\/workflows\/(.+)\.yml$/.exec(job.uses)?.[1] ?? job.uses;
    // It is told its inputs, and of the secrets none.
    const [run] = Object.values(await runWorkflow(called, { ...event, secrets: {}, inputs: interpolateAll(job.with, contexts) }, runner));
    return run ?? missing(`${called} has no job`);
  }
  const { github, secrets } = contexts as { github: Event["github"]; secrets: Record<string, string> };
  const machine = new JobMachine(runner, [...Object.values(secrets), ...(typeof github["token"] === "string" ? [github["token"]] : [])]);
  try {
    const steps = await machine.runSteps(job.steps, { ...contexts, env: { ...contexts.env, ...interpolateAll(job.env, contexts) } });
    // A job that has failed hands on what it has all the same.
    return machine.end(interpolateAll(job.outputs, { ...contexts, steps }));
  } finally {
    machine.dispose();
  }
}

function contextsOf(job: Job, workflow: Workflow, runs: Readonly<Record<string, JobRun>>, event: Event): Contexts & { env: Record<string, string> } {
  const needs = job.needs.map((each) => {
    const { result, outputs } = runs[each] ?? missing(`${each} is needed before it has run`);
    return [each, { result, outputs }] as const;
  });
  const contexts = {
    env: {},
    github: event.github,
    inputs: event.inputs ?? {},
    needs: Object.fromEntries(needs),
    runner: { os: "Linux", arch: "X64", environment: event.runner ?? "github-hosted" },
    secrets: { ...event.secrets?.[""], ...event.secrets?.[job.environment ?? ""] },
    steps: {},
    vars: event.vars ?? {},
  };
  return { ...contexts, env: interpolateAll(workflow.env, contexts) };
}

/** As GitHub has it, a job that failed or was skipped counts for all that come after it, not for the next ones alone. */
function statusOf(job: Job, jobs: Readonly<Record<string, Job>>, runs: Readonly<Record<string, JobRun>>): Status {
  const ancestorsOf = ({ needs }: Job): string[] => needs.flatMap((id) => [id, ...ancestorsOf(jobs[id] ?? missing(`there is no job ${id}`))]);
  const results = ancestorsOf(job).map((id) => runs[id]?.result);
  return (["failure", "skipped"] as const).find((status) => results.includes(status)) ?? "success";
}

function missing(what: string): never {
  throw new Error(what);
}
