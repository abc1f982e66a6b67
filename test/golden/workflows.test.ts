import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

import { expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";

import { describeWhere } from "../support/levels.ts";
import { GITHUB_DIR } from "../support/actions/workflow.ts";

const root = join(GITHUB_DIR, "..");

/** The actionlint that set-up brought, or else one that is installed; or that there is none. */
function findActionlint(): { program: string; missing: string | undefined } {
  const brought = join(root, ".local", "bin", "actionlint");
  const program = existsSync(brought) ? brought : "actionlint";
  const { error } = spawnSync(program, ["-version"]);
  return { program, missing: error === undefined ? undefined : "no actionlint; npm test brings it" };
}

const { program, missing } = findActionlint();

/** What it says about a workflow of that name with that content. */
function lint(name: string, text: string): string[] {
  // Without programs that are not on every machine. It does not know `queue` yet, whose value another test looks at.
  const flags = ["-shellcheck=", "-pyflakes=", "-oneline", "-no-color", "-ignore", 'unexpected key "queue" for "concurrency" section'];
  const file = join(".github", "workflows", `${name}.yml`);
  const { stdout, stderr } = spawnSync(program, [...flags, "-stdin-filename", file, "-"], { cwd: root, encoding: "utf8", input: text });
  return `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
}

const read = (name: string): string => readFileSync(join(GITHUB_DIR, "workflows", `${name}.yml`), "utf8");

const Action = z.strictObject({
  name: z.string(),
  description: z.string(),
  inputs: z.record(z.string(), z.strictObject({ description: z.string(), required: z.boolean().optional(), default: z.string().optional() })),
  runs: z.strictObject({ using: z.literal("composite"), steps: z.array(z.unknown()) }),
});

/** An action's steps as those of a workflow that is called with its inputs: of actions alone it reads no more than their inputs. */
function asWorkflow(name: string): string {
  const { inputs, runs } = Action.parse(parse(readFileSync(join(GITHUB_DIR, "actions", name, "action.yml"), "utf8")));
  const called = Object.fromEntries(Object.keys(inputs).map((input) => [input, { type: "string" }]));
  return stringify({ on: { workflow_call: { inputs: called } }, jobs: { action: { "runs-on": "ubuntu-24.04", steps: runs.steps } } });
}

describeWhere("what GitHub reads, read by actionlint,", missing, () => {
  const names = globSync("*", { cwd: join(GITHUB_DIR, "workflows") }).map((file) => basename(file, ".yml"));

  it.each(names)("has no mistake: the workflow %s", (name) => {
    expect(lint(name, read(name))).toEqual([]);
  });

  it.each(globSync("*", { cwd: join(GITHUB_DIR, "actions") }))("has no mistake: the action %s", (name) => {
    expect(lint("action", asWorkflow(name))).toEqual([]);
  });

  it.each([
    ["a step that is not there", "deploy", "steps.update.outcome", "steps.updat.outcome", 'property "updat" is not defined'],
    ["a job that is not there", "preview", "needs: [plan, tell]", "needs: [plan, tel]", 'job "tel"'],
    ["an output that is not there", "preview", "needs.plan.outputs.concerns-fleet", "needs.plan.outputs.concerns", 'property "concerns" is not defined'],
    ["a key that is not there", "check", "timeout-minutes", "timeout-minute", 'unexpected key "timeout-minute"'],
    ["a runner that is not there", "drift", "runs-on: ubuntu-", "runs-on: ubunto-", 'label "ubunto-'],
    ["a right that is not there", "comment", "pull-requests: write", "pull-request: write", 'unknown permission scope "pull-request"'],
    ["a time that never comes", "drift", "17 2 * * *", "17 25 * * *", "invalid CRON format"],
  ])("would be refused with %s", (_, name, from, to, complaint) => {
    expect(read(name)).toContain(from);
    expect(lint(name, read(name).replace(from, to)).join("\n")).toContain(complaint);
  });

  it("would be refused with an input that an action does not have", () => {
    expect(lint("action", asWorkflow("reach-hosts").replace("inputs.ssh-key", "inputs.ssh-kez")).join("\n")).toContain('property "ssh-kez" is not defined');
  });
});
