import { afterEach, describe, expect, it } from "vitest";

import { changeGitHubDir, dropCopies } from "../support/actions/changed.ts";
import { findInputs, findSecrets, findStraySecrets } from "../support/actions/secrets.ts";
import { readWorkflows } from "../support/actions/workflow.ts";

/** What opens the state of the stack, wherever that is. */
const STATE = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"];
const ACCOUNTS = ["CLOUDFLARE_API_TOKEN", "HCLOUD_TOKEN"];
const WAY_TO_HOSTS = ["DEPLOY_SSH_KEY", "TS_OAUTH_CLIENT_ID", "TS_OAUTH_SECRET"];
/** Of the job alone, with the rights that the job has. */
const OWN_TOKEN = ["github.token"];

/** Every step that gets anything, and all that it gets. */
const SECRETS = {
  "comment comment: gh api": OWN_TOKEN,
  "deploy deploy: ./.github/actions/reach-hosts": WAY_TO_HOSTS,
  "deploy deploy: pulumi preview, npm run plan, pulumi up": [...STATE, ...ACCOUNTS].toSorted(),
  "deploy deploy: npm run health": STATE,
  "drift look: ./.github/actions/reach-hosts": WAY_TO_HOSTS,
  "drift look: pulumi stack output, pulumi preview": [...STATE, ...ACCOUNTS].toSorted(),
  "drift report: gh api": OWN_TOKEN,
  "preview preview: pulumi preview": [...STATE, ...ACCOUNTS].toSorted(),
  "preview guard: gh api": OWN_TOKEN,
};

const INPUTS = {
  "reach-hosts: tailscale/github-action": ["tailnet-client-id", "tailnet-secret"],
  "reach-hosts: ssh-add": ["ssh-key", "stack"],
};

const FROM_HERE = "github.event.pull_request.head.repo.full_name == github.repository";

afterEach(dropCopies);

describe("a step gets the secrets that it needs and no other", () => {
  it("in the workflows", () => {
    expect(findSecrets()).toEqual(SECRETS);
  });

  it("in the actions that workflows hand them on to", () => {
    expect(findInputs()).toEqual(INPUTS);
  });

  it.each([
    ["the plan, which runs for forks", "workflows/preview.yml", "BASE: ${{ github.base_ref }}", "BASE: ${{ secrets.HCLOUD_TOKEN }}"],
    ["the guard", "workflows/preview.yml", "PLAN: ${{ needs.plan.result }}", "PLAN: ${{ secrets.HCLOUD_TOKEN }}"],
    ["the comment", "workflows/comment.yml", "BODY: ${{ inputs.body }}", "BODY: ${{ secrets.HCLOUD_TOKEN }}"],
    ["an action", "workflows/check.yml", "restore-keys: set-up-check-", "restore-keys: ${{ secrets.HCLOUD_TOKEN }}"],
    ["the job's token to somebody else", "workflows/check.yml", "restore-keys: set-up-check-", "restore-keys: ${{ github.token }}"],
    ["one more to a step that has some", "workflows/deploy.yml", "TENANT: ${{ inputs.tenant }}", "TENANT: ${{ secrets.DEPLOY_SSH_KEY }}"],
  ])("would be told: %s", (_, file, from, to) => {
    expect(findSecrets(changeGitHubDir(file, from, to))).not.toEqual(SECRETS);
  });

  it("would be told: the ssh key to the action that joins the tailnet", () => {
    expect(findInputs(changeGitHubDir("actions/reach-hosts/action.yml", "tags: tag:deploy", "hostname: ${{ inputs.ssh-key }}"))).not.toEqual(INPUTS);
  });
});

describe("a secret stands in a step's own variables and inputs and nowhere else", () => {
  it("is so", () => {
    expect(findStraySecrets()).toEqual([]);
  });

  it.each([
    ["a workflow's environment", "workflows/preview.yml", "  LABEL: protected-may-go", "  LABEL: ${{ secrets.HCLOUD_TOKEN }}", "preview: secrets.HCLOUD_TOKEN"],
    [
      "a job's environment",
      "workflows/drift.yml",
      "      STACK: ",
      "      HCLOUD_TOKEN: ${{ secrets.HCLOUD_TOKEN }}\n      STACK: ",
      "drift look: secrets.HCLOUD_TOKEN",
    ],
    ["a script", "workflows/drift.yml", "cat report.md >>", "echo ${{ secrets.HCLOUD_TOKEN }} >>", "drift look: secrets.HCLOUD_TOKEN"],
    ["a script of an action", "actions/reach-hosts/action.yml", "ssh-add -q -", "ssh-add -q ${{ github.token }}", "reach-hosts: github.token"],
    ["a condition", "workflows/deploy.yml", "vars.DEPLOY_RUNNER != ''", "secrets.HCLOUD_TOKEN != ''", "deploy deploy: secrets.HCLOUD_TOKEN"],
    ["part of a value", "workflows/deploy.yml", "${{ secrets.HCLOUD_TOKEN }}", "x${{ secrets.HCLOUD_TOKEN }}", "deploy deploy: secrets.HCLOUD_TOKEN"],
    ["all at once", "workflows/preview.yml", "BASE: ${{ github.base_ref }}", "ALL: ${{ toJSON(secrets) }}", "preview plan: secrets"],
    ["everything that GitHub knows", "workflows/preview.yml", "BASE: ${{ github.base_ref }}", "ALL: ${{ toJSON(github) }}", "preview plan: github)"],
    [
      "handed to a workflow whole",
      "workflows/preview.yml",
      "    uses: ./.github/workflows/comment.yml\n",
      "    uses: ./.github/workflows/comment.yml\n    secrets: inherit\n",
      "preview tell: secrets",
    ],
  ])("would be told: %s", (_, file, from, to, where) => {
    expect(findStraySecrets(changeGitHubDir(file, from, to))).toEqual([where]);
  });
});

describe("a job with secrets", () => {
  const jobs = Object.entries(readWorkflows()).flatMap(([name, workflow]) =>
    Object.entries(workflow.jobs).map(([id, job]) => ({ place: `${name} ${id}`, job, events: Object.keys(workflow["on"] as object) })),
  );
  const withSecrets = jobs.filter(({ place }) => Object.entries(SECRETS).some(([step, names]) => step.startsWith(`${place}: `) && names !== OWN_TOKEN));

  it("has an environment, which says who may let it run, and no other job has one", () => {
    const environments = (some: typeof jobs): unknown[] =>
      some.filter(({ job }) => job.environment !== undefined).map(({ place, job }) => [place, job.environment]);
    expect(environments(jobs)).toEqual([
      ["deploy deploy", "production"],
      ["drift look", "drift"],
      ["preview preview", "preview"],
    ]);
    expect(environments(withSecrets)).toEqual(environments(jobs));
    expect(withSecrets).toHaveLength(3);
  });

  it("is not reached by a fork", () => {
    const ofPullRequests = withSecrets.filter(({ events }) => events.includes("pull_request"));
    expect(ofPullRequests.map(({ place }) => place)).toEqual(["preview preview"]);
    // Joined by `and` alone, so that none of the others can stand in for it.
    for (const { job } of ofPullRequests) {
      expect(job.if?.replace(/^\$\{\{ | \}\}$/g, "").split(" && ")).toContain(FROM_HERE);
      expect(job.if).not.toContain("||");
    }
  });
});
