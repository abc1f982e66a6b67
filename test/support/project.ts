import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { stringify } from "yaml";

import type { TenantInput } from "../../tenants/schema.ts";
import { readLocal } from "../../tools/local.ts";

/** The checkout under test. */
export const ROOT = join(import.meta.dirname, "..", "..");
/** What a copy of the program consists of. */
const PROGRAM = ["components", "index.ts", "lib", "package.json", "plan", "Pulumi.yaml", "skills", "stack", "templates", "tenants"];
/** Passphrase of test stacks. */
const PASSPHRASE = "a passphrase for tests";

/** Settings of a test stack that differ from its defaults. */
export interface ProjectSettings {
  image?: string;
  caddyImage?: string;
  streamCloseDelaySeconds?: number;
  startTimeoutSeconds?: number;
  [key: string]: unknown;
}

/** How a run of the engine ended; never thrown, so that a test can look at a failure. */
export interface Run {
  exitCode: number | undefined;
  /** Everything it printed. */
  output: string;
}

/** A copy of the program in a folder of its own, with a stack, a state and a part of the ports and addresses that no other run has. */
export interface TestProject {
  readonly dir: string;
  readonly stack: string;
  /** Variables of the engine: backend, passphrase, Docker. */
  readonly env: Record<string, string>;
  readonly httpPort: number;
  /** The `index`-th tenant port of this project. */
  port(index: number): number;
  /** Writes `tenants/<stack>.ts`, as an operator would. */
  writeTenants(tenants: readonly TenantInput[]): void;
  /** Writes the stack's settings, keeping secrets. */
  writeSettings(settings: ProjectSettings): Promise<void>;
  /** Runs the engine: `project.pulumi(["up", "--yes"])`. */
  pulumi(args: readonly string[], options?: { env?: Record<string, string>; signal?: AbortSignal }): Promise<Run>;
  /** `up` without a preview; throws with the whole output when it fails. */
  up(...args: string[]): Promise<string>;
  /** Parsed `stack output --json`, secrets shown. */
  outputs(): Promise<StackOutputs>;
  /** The engine's state as it exports it. */
  exportState(): Promise<string>;
  /** Runs the docker client and returns what it printed. */
  docker(...args: string[]): Promise<string>;
  /** Removes the stack with everything that carries its label, volumes as well. */
  dispose(): Promise<void>;
}

/** What index.ts exports. */
export interface StackOutputs {
  tenants: Record<string, { id: string; url: string; host: string; port: number; container: string; status: string }>;
  tokens: Record<string, { gateway: string; hooks: string }>;
  retained: Record<string, string>;
}

/** Copies the program, gives it a stack of its own and writes the list. The real engine, plug-ins and Docker that set-up chose run it. */
export async function createProject(tenants: (port: (index: number) => number) => readonly TenantInput[], settings: ProjectSettings = {}): Promise<TestProject> {
  const local = readLocal(ROOT);
  const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-"));
  for (const entry of PROGRAM) cpSync(join(ROOT, entry), join(dir, entry), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  mkdirSync(join(dir, "state"));

  const slot = await findFreeSlot();
  const stack = `test-${slot}-${process.pid}`;
  const env = { ...local.env, PULUMI_BACKEND_URL: `file://${join(dir, "state")}`, PULUMI_CONFIG_PASSPHRASE: PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE: "" };
  const port = (index: number): number => 18_801 + slot * 40 + index;
  const httpPort = 21_000 + slot;

  const run = async (command: string, args: readonly string[], options: { env?: Record<string, string>; signal?: AbortSignal } = {}): Promise<Run> => {
    const signal = options.signal === undefined ? {} : { cancelSignal: options.signal };
    const { exitCode, all } = await execa(command, args, { cwd: dir, env: { ...env, ...options.env }, all: true, reject: false, ...signal });
    return { exitCode, output: all };
  };

  const project: TestProject = {
    dir,
    stack,
    env,
    httpPort,
    port,
    writeTenants: (list) => {
      writeFileSync(join(dir, "tenants", `${stack}.ts`), `export default ${JSON.stringify(list, undefined, 2)};\n`);
    },
    writeSettings: async (changed) => {
      const value = {
        domain: "localhost",
        image: local.openclawImage,
        caddyImage: local.caddyImage,
        hosts: { local: { kind: "docker", memoryMb: 1_000_000, cpus: 2, edge: { network: local.edgeNetwork, httpPort } } },
        ...changed,
      };
      await project.pulumi(["config", "set", "--path", "settings", "--type", "json", JSON.stringify(value)]);
    },
    pulumi: async (args, options) => run("pulumi", [...args, "--non-interactive", "--color", "never"], options),
    up: async (...args) => {
      const { exitCode, output } = await project.pulumi(["up", "--yes", "--skip-preview", ...args]);
      if (exitCode !== 0) throw new Error(`pulumi up ended with ${exitCode}:\n${output}`);
      return output;
    },
    outputs: async () => JSON.parse((await project.pulumi(["stack", "output", "--json", "--show-secrets"])).output) as StackOutputs,
    exportState: async () => (await project.pulumi(["stack", "export"])).output,
    docker: async (...args) => {
      const { exitCode, output } = await run("docker", args);
      if (exitCode !== 0) throw new Error(`docker ${args.join(" ")} ended with ${exitCode}:\n${output}`);
      return output;
    },
    dispose: async () => {
      await removeLabelled(project);
      rmSync(dir, { recursive: true, force: true });
    },
  };

  writeFileSync(join(dir, `Pulumi.${stack}.yaml`), stringify({ config: {} }));
  project.writeTenants(tenants(port));
  await project.pulumi(["stack", "init", stack]);
  await project.writeSettings(settings);
  return project;
}

/** Also after a crash: by label, never by what the state remembers. */
async function removeLabelled({ docker, stack }: TestProject): Promise<void> {
  const filter = ["--filter", `label=openclaw-tenants.stack=${stack}`];
  const containers = (await docker("ps", "--all", "--quiet", ...filter)).split("\n").filter(Boolean);
  if (containers.length > 0) await docker("rm", "--force", ...containers);
  const networks = (await docker("network", "ls", "--quiet", ...filter)).split("\n").filter(Boolean);
  if (networks.length > 0) await docker("network", "rm", ...networks);
  const volumes = (await docker("volume", "ls", "--quiet", ...filter)).split("\n").filter(Boolean);
  if (volumes.length > 0) await docker("volume", "rm", ...volumes);
}

/** A share of the tenant ports, 40 each, whose ports nobody listens on: several runs may share one machine. */
async function findFreeSlot(): Promise<number> {
  const first = 5 + (process.pid % 20);
  for (let slot = first; slot < first + 5; slot++) {
    const free = await Promise.all([21_000 + slot, ...Array.from({ length: 40 }, (_, index) => 18_801 + slot * 40 + index)].map(isFree));
    if (free.every(Boolean)) return slot;
  }
  throw new Error("no free share of the tenant ports; is another test run on this machine?");
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => {
      resolve(false);
    });
    server.listen(port, "127.0.0.1", () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
