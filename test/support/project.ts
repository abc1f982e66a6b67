import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { parse, stringify } from "yaml";

import type { TenantInput } from "../../tenants/schema.ts";
import { readLocal } from "../../tools/local.ts";
import { removeDeadRuns, removeStack } from "./leftovers.ts";

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
  /** Without what it said on stderr. */
  stdout: string;
}

/** A copy of the program in a folder of its own, with a stack, a state and a part of the ports and addresses that no other run has. */
export interface TestProject {
  readonly dir: string;
  readonly stack: string;
  /** Variables of the engine: backend, passphrase, Docker. */
  readonly env: Record<string, string>;
  readonly httpPort: number;
  /** The `index`-th tenant port of this project. */
  readonly port: (index: number) => number;
  /** Writes `tenants/<stack>.ts`, as an operator would. */
  writeTenants(tenants: readonly TenantInput[]): void;
  /** Writes the stack's settings, keeping secrets. */
  writeSettings(settings: ProjectSettings): void;
  /** Runs the engine: `project.pulumi(["up", "--yes"])`. */
  pulumi(args: readonly string[], options?: { env?: Record<string, string>; signal?: AbortSignal }): Promise<Run>;
  /** `up` without a preview; throws with the whole output when it fails. */
  up(...args: string[]): Promise<string>;
  /** Parsed `stack output --json`, secrets shown. */
  outputs(): Promise<StackOutputs>;
  /** The engine's state as it exports it. */
  exportState(): Promise<string>;
  /** Runs the docker client and returns what it printed. */
  readonly docker: (...args: string[]) => Promise<string>;
  /** Removes the stack with everything that carries its label, volumes as well. */
  dispose(): Promise<void>;
}

/** What index.ts exports. */
export interface StackOutputs {
  tenants: Record<string, { id: string; url: string; host: string; port: number; container: string; status: string }>;
  tokens: Record<string, { gateway: string; hooks: string }>;
  retained: Record<string, string>;
  hosts: Record<string, { ipv4: string; ipv6: string; hostKey: string; serverType: string; protected: boolean }>;
}

/**
 * Copies the program, gives it a stack of its own and writes the list. The real engine, plug-ins and Docker that set-up chose run it, but for
 * `overrides` of their variables; what earlier runs left is cleared from the Docker of `cleanIn`.
 */
export async function createProject(
  tenants: (port: (index: number) => number) => readonly TenantInput[],
  settings: ProjectSettings = {},
  overrides: Record<string, string> = {},
  cleanIn: Record<string, string> = overrides,
): Promise<TestProject> {
  const local = readLocal(ROOT);
  const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-"));
  for (const entry of PROGRAM) cpSync(join(ROOT, entry), join(dir, entry), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  mkdirSync(join(dir, "state"));

  const slot = await findFreeSlot();
  const stack = `test-${slot}-${process.pid}`;
  const env = {
    ...local.env,
    PULUMI_BACKEND_URL: `file://${join(dir, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
    PULUMI_CONFIG_PASSPHRASE_FILE: "",
    ...overrides,
  };
  const port = (index: number): number => 18_801 + slot * 40 + index;
  const httpPort = 21_000 + slot;
  const stackFile = join(dir, `Pulumi.${stack}.yaml`);

  const run = async (command: string, args: readonly string[], options: { env?: Record<string, string>; signal?: AbortSignal } = {}): Promise<Run> => {
    const signal = options.signal === undefined ? {} : { cancelSignal: options.signal };
    const { exitCode, all, stdout } = await execa(command, args, { cwd: dir, env: { ...env, ...options.env }, all: true, reject: false, ...signal });
    return { exitCode, output: all, stdout };
  };

  const dockerIn =
    (where: Record<string, string>) =>
    async (...args: string[]): Promise<string> => {
      const { exitCode, output } = await run("docker", args, { env: where });
      if (exitCode !== 0) throw new Error(`docker ${args.join(" ")} ended with ${exitCode}:\n${output}`);
      return output;
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
    writeSettings: (changed) => {
      const value = {
        domain: "localhost",
        image: local.openclawImage,
        caddyImage: local.caddyImage,
        hosts: { local: { kind: "docker", memoryMb: 1_000_000, cpus: 2, edge: { network: local.edgeNetwork, httpPort } } },
        ...changed,
      };
      // As an operator edits it: the engine's own `config set` takes no object before 3.260.
      const { config, ...rest } = parse(readFileSync(stackFile, "utf8")) as { config?: Record<string, unknown> };
      // The engine's YAML makes a time of a date that has no quotes.
      writeFileSync(stackFile, stringify({ ...rest, config: { ...config, "openclaw-tenants:settings": value } }, { version: "1.1" }));
    },
    pulumi: async (args, options) => run("pulumi", [...args, "--non-interactive", "--color", "never"], options),
    up: async (...args) => {
      const { exitCode, output } = await project.pulumi(["up", "--yes", "--skip-preview", ...args]);
      if (exitCode !== 0) throw new Error(`pulumi up ended with ${exitCode}:\n${output}`);
      return output;
    },
    outputs: async () => JSON.parse((await project.pulumi(["stack", "output", "--json", "--show-secrets"])).output) as StackOutputs,
    exportState: async () => (await project.pulumi(["stack", "export"])).output,
    docker: async (...args) => dockerIn({})(...args),
    dispose: async () => {
      await removeStack(dockerIn(cleanIn), stack);
      rmSync(dir, { recursive: true, force: true });
    },
  };

  writeFileSync(stackFile, stringify({ config: {} }));
  project.writeTenants(tenants(port));
  await removeDeadRuns(dockerIn(cleanIn));
  const { exitCode, output } = await project.pulumi(["stack", "init", stack]);
  if (exitCode !== 0) throw new Error(`pulumi stack init ended with ${exitCode}:\n${output}`);
  project.writeSettings(settings);
  return project;
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
