import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { execa } from "execa";
import { parse, stringify } from "yaml";

import type { TenantInput } from "../../../tenants/schema.ts";
import { type CloudProject, TOKENS } from "../cloud-project.ts";
import { ROOT, type Run } from "../project.ts";
import { git, WHOLE_PROGRAM } from "../repository.ts";
import { type GitHub, REPOSITORY, startGitHub } from "./github.ts";
import { type Again, type Event, type JobRun, runWorkflow } from "./run-job.ts";
import { checkOut, variablesOfRunner } from "./workspace.ts";

const STACK_FILE = "Pulumi.prod.yaml";

/** What a commit changes. */
export interface Edit {
  tenants?: (entries: TenantInput[]) => TenantInput[];
  hosts?: (hosts: Record<string, object>) => Record<string, object>;
  /** Files in other words, by path; what is not there yet is empty. */
  files?: Readonly<Record<string, (text: string) => string>>;
}

/** What the repository of a fleet in simulated accounts is, and what GitHub does with it. The stack is `prod`. */
export interface Repository {
  readonly github: GitHub;
  /** Runs the engine in the checkout of `main`, as the operator. */
  pulumi(...args: string[]): Promise<Run>;
  /** Commits to `main`. */
  commit(edit: Edit): Promise<void>;
  /** Opens a pull request, or pushes to it once more. */
  push(number: number, edit: Edit): Promise<void>;
  /** Runs `preview.yml` for what was pushed last. */
  preview(number: number, options?: { isFork?: boolean; again?: Again }): Promise<Record<string, JobRun>>;
  /** Whether anybody tried to log in to a host. */
  wasSshCalled(): boolean;
  dispose(): void;
}

/** Makes the repository of a project's fleet, with the settings that the project has. */
export async function createRepositoryOf(project: CloudProject): Promise<Repository> {
  const github = await startGitHub();
  const scratch = mkdtempSync(join(tmpdir(), "openclaw-tenants-pull-requests-"));
  const [dir, bin, home, sshLog] = ["repository", "bin", "home", "ssh.log"].map((name) => join(scratch, name)) as [string, string, string, string];
  for (const folder of [dir, bin, home]) mkdirSync(folder);
  writeFileSync(sshLog, "");
  writeFileSync(join(bin, "ssh"), `#!/bin/sh\necho "$@" >> '${sshLog}'\nexit 255\n`, { mode: 0o755 });
  for (const entry of WHOLE_PROGRAM) cpSync(join(ROOT, entry), join(dir, entry), { recursive: true, filter: (file) => !/tools.(plug-ins|engine)$/.test(file) });
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  const files = { ".gitignore": "node_modules\n", "README.md": "# Our fleet\n", "tenants/prod.ts": renderList([]) };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, file), text);
  cpSync(join(project.dir, `Pulumi.${project.stack}.yaml`), join(dir, STACK_FILE));
  await git(dir, "init", "--quiet", "--initial-branch", "main");

  const apply = async ({ tenants, hosts, files: more = {} }: Edit): Promise<void> => {
    const edits: Edit["files"] = {
      ...(tenants === undefined ? {} : { "tenants/prod.ts": (text) => renderList(tenants(readList(text))) }),
      ...(hosts === undefined ? {} : { [STACK_FILE]: (text) => withHosts(text, hosts) }),
      ...more,
    };
    for (const [file, edit] of Object.entries(edits)) {
      const path = join(dir, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, edit(readFileSync(path, { encoding: "utf8", flag: "a+" })));
    }
    await git(dir, "add", "--all");
    await git(dir, "commit", "--quiet", "--message", "change");
  };
  const branches = new Set<number>();
  let runs = 0;

  return {
    github,
    pulumi: async (...args) => {
      const { exitCode, all, stdout } = await execa("pulumi", [...args, "--non-interactive", "--color", "never"], {
        cwd: dir,
        env: project.env,
        all: true,
        reject: false,
      });
      return { exitCode, output: all, stdout };
    },
    commit: apply,
    push: async (number, edit) => {
      const branch = `change-${number}`;
      await (branches.has(number) ? git(dir, "checkout", "--quiet", branch) : git(dir, "checkout", "--quiet", "-b", branch, "main"));
      branches.add(number);
      await apply(edit);
      // What GitHub checks out is what a merge would give.
      await git(dir, "checkout", "--quiet", "--detach", "main");
      await git(dir, "merge", "--quiet", "--no-ff", "--message", "merge", branch);
      await git(dir, "update-ref", `refs/pull/${number}/merge`, "HEAD");
      await git(dir, "checkout", "--quiet", "main");
    },
    preview: async (number, { isFork = false, again } = {}) => {
      const { PULUMI_BACKEND_URL = "", PULUMI_CONFIG_PASSPHRASE = "", PATH = "" } = project.env;
      const event: Event = {
        github: {
          base_ref: "main",
          event: { pull_request: { number, head: { repo: { full_name: isFork ? "somebody/openclaw-tenants" : REPOSITORY } } } },
          repository: REPOSITORY,
          run_id: `${++runs}`,
          server_url: "https://github.com",
          token: "ghs_the-token-of-the-job",
        },
        // A fork's run is given neither.
        vars: isFork ? {} : { PULUMI_BACKEND_URL },
        secrets: isFork ? {} : { preview: { ...TOKENS.readOnly, PULUMI_CONFIG_PASSPHRASE } },
      };
      const workspace = await checkOut(dir, `refs/pull/${number}/merge`, 2);
      try {
        const env = { ...variablesOfRunner(project.env), ...github.env, HOME: home, PATH: [workspace.bin, bin, PATH].join(":") };
        return await runWorkflow("preview", event, { workspace: workspace.dir, env }, again);
      } finally {
        workspace.dispose();
      }
    },
    wasSshCalled: () => readFileSync(sshLog, "utf8") !== "",
    dispose: () => {
      github.dispose();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

const HEAD = 'import { defineTenants } from "./schema.ts";\n\nexport default defineTenants(';

function renderList(entries: readonly TenantInput[]): string {
  return `${HEAD}${JSON.stringify(entries, undefined, 2)});\n`;
}

function readList(text: string): TenantInput[] {
  return JSON.parse(text.slice(HEAD.length).replace(/\);\n$/, "")) as TenantInput[];
}

function withHosts(text: string, change: (hosts: Record<string, object>) => Record<string, object>): string {
  const { config, ...rest } = parse(text) as { config: { "openclaw-tenants:settings": { hosts: Record<string, object> } } };
  const settings = config["openclaw-tenants:settings"];
  return stringify({ ...rest, config: { ...config, "openclaw-tenants:settings": { ...settings, hosts: change(settings.hosts) } } }, { version: "1.1" });
}
