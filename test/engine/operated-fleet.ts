import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { TenantInput } from "../../tenants/schema.ts";
import { type GitHub, REPOSITORY, startGitHub } from "../support/actions/github.ts";
import { type Event, type JobRun, runWorkflow } from "../support/actions/run-job.ts";
import { checkOut, variablesOfRunner } from "../support/actions/workspace.ts";
import { type CloudProject, createCloudProject, type HetznerInput, TOKENS } from "../support/cloud-project.ts";
import { ROOT } from "../support/project.ts";
import { git } from "../support/repository.ts";
import { makeKeyPair } from "../support/ssh-agent.ts";

const JOB_TOKEN = "ghs_the-token-of-the-job";

/** What a run is given beside the repository's own settings. */
export interface RunOptions {
  inputs?: { tenant?: string; repair?: "true" };
  vars?: Record<string, string>;
  /** Of the environment. */
  secrets?: Record<string, string>;
  runner?: Event["runner"];
}

/** A fleet in simulated accounts that nobody deploys by hand: its repository, and what runs its workflows. */
export interface OperatedFleet {
  readonly project: CloudProject;
  readonly github: GitHub;
  /** All that nobody may read anywhere. */
  readonly secrets: readonly string[];
  /** Commits the list and the hosts to `main`, as a merge does. */
  merge(change: { tenants?: readonly TenantInput[]; hosts?: Readonly<Record<string, Partial<HetznerInput>>>; settings?: object }): Promise<void>;
  /** Runs a workflow at what was merged last, on a new machine. Throws where it leaves its agent, or the key in a file at home. */
  run(workflow: "deploy" | "drift", options?: RunOptions): Promise<Record<string, JobRun>>;
  dispose(): Promise<void>;
}

/** Makes one, with empty accounts. */
export async function createOperatedFleet(image: string): Promise<OperatedFleet> {
  const project = await createCloudProject({ image, hasMachines: true });
  const github = await startGitHub();
  const { privateKey, publicKey } = await makeKeyPair();
  const [, keyLine = ""] = privateKey.split("\n");
  for (const entry of ["package-lock.json", "tools"])
    cpSync(join(ROOT, entry), join(project.dir, entry), { recursive: true, filter: (file) => !/tools.(plug-ins|engine)$/.test(file) });
  writeFileSync(join(project.dir, ".gitignore"), "/node_modules\n/state\n");
  await git(project.dir, "init", "--quiet", "--initial-branch", "main");
  const { PULUMI_BACKEND_URL = "", PULUMI_CONFIG_PASSPHRASE = "", PATH = "" } = project.env;
  let runs = 0;

  const start = async (workflow: "deploy" | "drift", { inputs = {}, vars, secrets, runner = "self-hosted" }: RunOptions, home: string) => {
    const environment = workflow === "deploy" ? "production" : "drift";
    const tokens = TOKENS[workflow === "deploy" ? "full" : "readOnly"];
    const event: Event = {
      github: { repository: REPOSITORY, run_id: `${++runs}`, server_url: "https://github.com", token: JOB_TOKEN },
      vars: { DEPLOY_MINUTES: "5", DEPLOY_RUNNER: "ours", PULUMI_BACKEND_URL, PULUMI_STACK: project.stack, ...vars },
      inputs,
      secrets: { [environment]: { ...tokens, DEPLOY_SSH_KEY: privateKey, PULUMI_CONFIG_PASSPHRASE, ...secrets } },
      runner,
    };
    const workspace = await checkOut(project.dir);
    try {
      const env = { ...variablesOfRunner(project.env), ...github.env, HOME: home, PATH: `${workspace.bin}:${PATH}` };
      return await runWorkflow(workflow, event, { workspace: workspace.dir, env });
    } finally {
      workspace.dispose();
    }
  };

  return {
    project,
    github,
    secrets: [...Object.values(TOKENS.full), ...Object.values(TOKENS.readOnly), JOB_TOKEN, PULUMI_CONFIG_PASSPHRASE, keyLine],
    merge: async ({ tenants, hosts, settings }) => {
      if (tenants !== undefined) project.writeTenants(tenants);
      if (hosts !== undefined) project.writeHosts(hosts, { operators: { ann: project.operatorKey, github: publicKey }, ...settings });
      await git(project.dir, "add", "--all");
      await git(project.dir, "commit", "--quiet", "--allow-empty", "--message", "change");
    },
    run: async (workflow, options = {}) => {
      const home = mkdtempSync(join(tmpdir(), "openclaw-tenants-home-"));
      try {
        const jobs = await start(workflow, options, home);
        await waitForAgent(home);
        const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
        const found = files.filter(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8").includes(keyLine));
        if (found.length > 0) throw new Error(`the key is in ${found.map(({ name }) => name).join(", ")}`);
        return jobs;
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    },
    dispose: async () => {
      github.dispose();
      await project.dispose();
    },
  };
}

/** Until the agent that was started with this home has ended. */
async function waitForAgent(home: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const agents = readdirSync("/proc").filter((pid) => read(`/proc/${pid}/comm`) === "ssh-agent\n" && read(`/proc/${pid}/environ`).includes(`HOME=${home}\0`));
    if (agents.length === 0) return;
    if (Date.now() > deadline) throw new Error("the agent is still there after the job");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Empty where a process has gone meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
