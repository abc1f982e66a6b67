import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import type { z } from "zod";

import { sshArgs } from "../../lib/ssh.ts";
import { nameMachine } from "../../plan/names.ts";
import type { Settings } from "../../plan/settings.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { ZONE } from "../standin/cloudflare/zones.ts";
import { createWorld, destroyWorld, preload } from "../standin/machine.ts";
import { runInside } from "../standin/machine/processes.ts";
import { readRecords, type Records } from "../standin/world.ts";
import { findMachine } from "./machine.ts";
import { createProject, type ProjectSettings, type Run, type TestProject } from "./project.ts";
import { installStandIns } from "./standins.ts";

type SettingsInput = z.input<typeof Settings>;
export type HetznerInput = Extract<SettingsInput["hosts"][string], { kind: "hetzner" }>;

/** Tokens as the stand-ins want them; the first letters say what they may do. */
export const TOKENS = {
  full: { HCLOUD_TOKEN: "rw-".padEnd(64, "h"), CLOUDFLARE_API_TOKEN: "rw-".padEnd(40, "c") },
  readOnly: { HCLOUD_TOKEN: "ro-".padEnd(64, "h"), CLOUDFLARE_API_TOKEN: "ro-".padEnd(40, "c") },
} as const;
/** The zone that every account has. */
export const { name: DOMAIN } = ZONE;

export interface CloudArgs {
  /** Image that stands for OpenClaw's, or the real one. */
  image: string;
  /** Servers are real machines to log in to; without, they are records only, and nothing may connect. */
  hasMachines: boolean;
  settings?: (operatorKey: string) => Partial<SettingsInput>;
}

/** A project whose stack runs in simulated accounts. */
export interface CloudProject extends TestProject {
  /** Folder of the accounts and their servers. */
  readonly world: string;
  /** The operator's public key; the private one is in an agent. */
  readonly operatorKey: string;
  /** Writes the stack's settings for these hosts. */
  writeHosts(hosts: Readonly<Record<string, Partial<HetznerInput>>>, more?: Partial<SettingsInput>): void;
  /** All that Hetzner or Cloudflare hold. */
  records(api: "hcloud" | "cloudflare"): Records;
  /** Runs a command on a host as an operator does. */
  ssh(host: string, ...command: string[]): Promise<Run>;
  /** Runs a shell script on a server as root, past ssh; what it printed. */
  onHost(host: string, script: string): Promise<string>;
  /** The docker client of a server, past ssh. */
  dockerOn(host: string): TestProject["docker"];
}

/** What a host's settings leave out. */
export const HOST: HetznerInput = { kind: "hetzner", serverType: "cx33", location: "fsn1", dataGb: 10, sshFrom: ["198.51.100.0/24"] };

/** Makes such a project, with empty accounts, without hosts and without tenants. */
export async function createCloudProject({ image, hasMachines }: CloudArgs): Promise<CloudProject> {
  const { local } = findMachine();
  if (local === undefined) throw new Error("set-up is missing; npm test sets it up");
  const scratch = mkdtempSync(join(tmpdir(), "openclaw-tenants-cloud-"));
  const home = join(scratch, "pulumi-home");
  installStandIns({ home, realHome: local.env["PULUMI_HOME"], node: process.execPath });
  const world = await createWorld();
  if (hasMachines) await preload(world, [image, local.caddyImage], local.env);

  const agent = await startAgent(scratch);
  const env = {
    PULUMI_HOME: home,
    STANDIN_WORLD: world,
    STANDIN_MACHINES: hasMachines ? "1" : "",
    SSH_AUTH_SOCK: agent.socket,
    HOME: scratch,
    // Nothing here may reach the Docker of this machine.
    DOCKER_HOST: "unix:///nowhere.sock",
    ...TOKENS.full,
  };
  const project = await createProject(() => [], { hosts: { local: { kind: "docker", memoryMb: 1024, cpus: 1 } } }, env, local.env);
  const runOn = async (host: string, command: readonly string[]): Promise<string> => {
    const { isFine, stdout, complaint } = await runInside(world, nameMachine(project.stack, host), command);
    if (!isFine) throw new Error(`${command.join(" ")} on host ${host}: ${complaint}`);
    return stdout;
  };
  const cloud: CloudProject = {
    ...project,
    world,
    operatorKey: agent.publicKey,
    writeHosts: (hosts, more = {}) => {
      project.writeSettings({
        domain: DOMAIN,
        image,
        caddyImage: local.caddyImage,
        operators: { ann: agent.publicKey },
        dns: { zoneId: ZONE.id },
        hosts: Object.fromEntries(Object.entries(hosts).map(([id, host]) => [id, { ...HOST, ...host }])),
        ...more,
      } as ProjectSettings);
    },
    records: (api) => readRecords(world, api),
    ssh: async (host, ...command) => {
      const { hosts } = await project.outputs();
      const { ipv4 = "", hostKey = "" } = hosts[host] ?? {};
      const { exitCode, all, stdout } = await execa("ssh", ["-F", "none", ...sshArgs({ address: ipv4, hostKey }, command)], {
        env: { SSH_AUTH_SOCK: agent.socket },
        all: true,
        reject: false,
      });
      return { exitCode, output: all, stdout };
    },
    onHost: async (host, script) => runOn(host, ["sh", "-c", script]),
    dockerOn:
      (host) =>
      async (...args) =>
        runOn(host, ["docker", ...args]),
    dispose: async () => {
      agent.stop();
      await destroyWorld(world);
      await project.dispose();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
  return cloud;
}

/** An ssh agent with a new key that is nowhere else. */
async function startAgent(folder: string): Promise<{ socket: string; publicKey: string; stop: () => void }> {
  const [socket, key] = [join(folder, "agent.sock"), join(folder, "key")];
  const agent = execa("ssh-agent", ["-D", "-a", socket], { reject: false });
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ann@laptop", "-f", key]);
  chmodSync(key, 0o600);
  for (let round = 0; ; round++) {
    const { exitCode, stderr } = await execa("ssh-add", ["-q", key], { env: { SSH_AUTH_SOCK: socket }, reject: false });
    if (exitCode === 0) break;
    if (round > 50) throw new Error(`the agent takes no key: ${stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  rmSync(key);
  return { socket, publicKey: readFileSync(`${key}.pub`, "utf8").trim(), stop: () => agent.kill() };
}

/** The shortest entry of a tenant on a server. */
export function clientOn(project: Pick<TestProject, "port">, host: string, index: number, id: string, more: Partial<TenantInput> = {}): TenantInput {
  return { id, name: `Client ${id}`, host, port: project.port(index), size: "small", ...more };
}
