import { readFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { PULUMI_VERSION } from "../../tools/versions.ts";
import { changeGitHubDir, dropCopies } from "../support/actions/changed.ts";
import { KNOWN_INPUTS } from "../support/actions/inputs.ts";
import { findInjections, findKeptCredentials, findLooseScripts, findPlaces, findUnpinned, findWrongInputs } from "../support/actions/rules.ts";
import { GITHUB_DIR, readWorkflows } from "../support/actions/workflow.ts";

const workflows = readWorkflows();
/** A field that the reader hands on as it is. */
const fieldOf = (name: string, field: string): unknown => workflows[name]?.[field];
const each = <T>(give: (name: string) => T): Record<string, T> => Object.fromEntries(Object.keys(workflows).map((name) => [name, give(name)]));

afterEach(dropCopies);

/** A rule, and what it says when it is broken. */
type Broken = [what: string, file: string, from: string, to: string, complaint: string];

function holds(rule: (dir: string) => string[], broken: readonly Broken[]): void {
  it("is so", () => {
    expect(rule(GITHUB_DIR)).toEqual([]);
  });
  it.each(broken)("would be told: %s", (_, file, from, to, complaint) => {
    expect(rule(changeGitHubDir(file, from, to))).toEqual([expect.stringContaining(complaint) as string]);
  });
}

/** As they stand there now: updates are no business of these tests. */
const [CHECKOUT, VERSION] = pinOf("workflows/deploy.yml", "actions/checkout");
const [SETUP_NODE] = pinOf("actions/set-up/action.yml", "actions/setup-node");

function pinOf(file: string, action: string): [pin: string, version: string] {
  const [pin, version] = new RegExp(`${action}@\\w+ # (v[\\d.]+)`).exec(readFileSync(join(GITHUB_DIR, file), "utf8")) ?? [];
  if (pin === undefined || version === undefined) throw new Error(`${file} has no ${action}`);
  return [pin, version];
}

describe("every remote action is pinned by its hash, with the version beside it", () => {
  holds(findUnpinned, [
    ["a tag", "workflows/deploy.yml", CHECKOUT, `actions/checkout@${VERSION} # ${VERSION}`, `workflows/deploy.yml: actions/checkout@${VERSION} is not pinned`],
    ["a short hash", "workflows/deploy.yml", CHECKOUT, `actions/checkout@3d3c42e # ${VERSION}`, "actions/checkout@3d3c42e is not pinned"],
    ["no version", "workflows/deploy.yml", ` # ${VERSION}`, "", "is not pinned"],
    ["no whole version", "workflows/deploy.yml", `# ${VERSION}`, "# v7", "is not pinned"],
    ["two of one", "workflows/deploy.yml", CHECKOUT, `actions/checkout@${"0".repeat(40)} # v7.0.0`, "actions/checkout is v7.0.0 here"],
    ["an action's action", "actions/set-up/action.yml", SETUP_NODE, "actions/setup-node@main", "actions/setup-node@main is not pinned"],
  ]);
});

describe("every action and workflow knows what it is given", () => {
  holds(findWrongInputs, [
    ["a misspelled input", "workflows/deploy.yml", "persist-credentials", "persist-credential", "has no input persist-credential"],
    ["one of another action's", "actions/set-up/action.yml", "pulumi-version:", "version:", "has no input version"],
    ["a misspelled input of an action of one's own", "workflows/deploy.yml", 'engine: "true"', 'engin: "true"', "./.github/actions/set-up has no input engin"],
    ["a required one that is missing", "workflows/check.yml", "path: ~/.cache/openclaw-tenants\n", "\n", "misses path"],
    ["one of an action of one's own", "workflows/drift.yml", "ssh-key: ${{ secrets.DEPLOY_SSH_KEY }}\n", "\n", "./.github/actions/reach-hosts misses ssh-key"],
    ["one of a workflow of one's own", "workflows/preview.yml", "    with:\n      body: ${{ needs.plan.outputs.comment }}\n", "", "comment.yml misses body"],
    ["an action that nobody has looked at", "workflows/deploy.yml", CHECKOUT, "who/ever@main", "nobody knows the inputs of who/ever@main"],
  ]);

  it("as the release says that is in use, or one of the same major version", () => {
    const texts = findPlaces().map(({ file }) => readFileSync(join(GITHUB_DIR, file), "utf8"));
    const used = new Map(texts.flatMap((text) => [...text.matchAll(/uses: ([\w/-]+)@\w+ # (v\d+)/g)].map(([, name = "", major = ""]) => [name, major])));
    expect(Object.fromEntries(used)).toEqual(Object.fromEntries(Object.entries(KNOWN_INPUTS).map(([name, { version }]) => [name, version.split(".", 1)[0]])));
  });

  it("and the engine's action gets no command: it would hand every output of the stack to the steps that follow", () => {
    const calls = findPlaces().filter(({ step }) => step.uses?.startsWith("pulumi/actions@"));
    expect(calls.map(({ step }) => Object.keys(step.with))).toEqual([["pulumi-version"]]);
  });
});

describe("no script has anything pasted into it", () => {
  holds(findInjections, [
    [
      "a branch's name",
      "workflows/preview.yml",
      '--base "$BASE" --markdown',
      '--base "${{ github.head_ref }}" --markdown',
      "a script contains ${{ github.head_ref }}",
    ],
    ["an action's input", "actions/reach-hosts/action.yml", '"$SSH_KEY"', '"${{ inputs.ssh-key }}"', "a script contains ${{ inputs.ssh-key }}"],
  ]);
});

describe("every script stops at its first failure, also within a pipe", () => {
  holds(findLooseScripts, [
    ["a shell without pipefail", "workflows/comment.yml", "    shell: bash\n", "    shell: sh\n", "workflows/comment.yml: a script runs in sh"],
    ["a step with a shell of its own", "workflows/comment.yml", "      - env:\n", "      - shell: bash {0}\n        env:\n", "a script runs in bash {0}"],
    [
      "a workflow that says nothing",
      "workflows/comment.yml",
      "defaults:\n  run:\n    # With pipefail.\n    shell: bash\n",
      "",
      "a script runs in whatever there is",
    ],
  ]);
});

describe("no checkout keeps the token", () => {
  holds(findKeptCredentials, [
    ["one that does", "workflows/drift.yml", "persist-credentials: false", "persist-credentials: true", "workflows/drift.yml: a checkout keeps the token"],
    [
      "one that says nothing",
      "workflows/drift.yml",
      "        with:\n          persist-credentials: false\n",
      "",
      "workflows/drift.yml: a checkout keeps the token",
    ],
  ]);
});

describe("the workflows", () => {
  it("are started by these events and by no other: none runs a pull request's code with the rights of the repository", () => {
    expect(each((name) => Object.keys(fieldOf(name, "on") as object))).toEqual({
      check: ["push", "pull_request"],
      comment: ["workflow_call"],
      deploy: ["push", "workflow_dispatch"],
      drift: ["schedule", "workflow_dispatch"],
      preview: ["pull_request"],
    });
  });

  it("have no more rights than these, job by job", () => {
    const rights = Object.entries(workflows).flatMap(([name, { permissions, jobs }]) => [
      [name, permissions],
      ...Object.entries(jobs).map(([job, own]) => [`${name} ${job}`, own.permissions ?? permissions]),
    ]);
    expect(Object.fromEntries(rights)).toEqual({
      check: { contents: "read" },
      "check check": { contents: "read" },
      "check test": { contents: "read" },
      comment: {},
      "comment comment": { "pull-requests": "write" },
      deploy: { contents: "read" },
      "deploy deploy": { contents: "read" },
      drift: {},
      "drift look": { contents: "read" },
      "drift report": { issues: "write" },
      preview: {},
      "preview plan": { contents: "read" },
      "preview tell": { "pull-requests": "write" },
      "preview preview": { contents: "read" },
      "preview tell-preview": { "pull-requests": "write" },
      "preview guard": { "pull-requests": "read" },
    });
  });

  it("wait for each other where they touch the fleet, and only a preview or a check is broken off", () => {
    expect(each((name) => fieldOf(name, "concurrency"))).toEqual({
      check: { group: "check-${{ github.event_name }}-${{ github.ref }}", "cancel-in-progress": "${{ github.ref != 'refs/heads/main' }}" },
      comment: undefined,
      deploy: { group: "prod", "cancel-in-progress": false, queue: "max" },
      drift: { group: "prod", "cancel-in-progress": false, queue: "max" },
      preview: { group: "preview-${{ github.event.pull_request.number }}", "cancel-in-progress": true },
    });
  });

  it("end by themselves: every job has a limit, and none is above the six hours of GitHub", () => {
    const limits = Object.values(workflows).flatMap(({ jobs }) =>
      Object.values(jobs).flatMap((job) => (job.uses === undefined ? [job["timeout-minutes"]] : [])),
    );
    expect(limits.length).toBeGreaterThan(5);
    for (const limit of limits) expect(limit).toSatisfy((minutes: unknown) => typeof minutes === "number" && minutes > 0 && minutes <= 360);
  });

  it("run the Node and the engine of package.json", () => {
    const { dependencies } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { dependencies: Record<string, string> };
    const given = findPlaces().map(({ step }) => step.with);
    expect(given.flatMap(({ "node-version": version }) => version ?? [])).toEqual([dependencies["node"]]);
    expect(given.flatMap(({ "pulumi-version": version }) => version ?? [])).toEqual([dependencies["@pulumi/pulumi"]]);
    expect(PULUMI_VERSION).toBe(dependencies["@pulumi/pulumi"]);
  });
});
