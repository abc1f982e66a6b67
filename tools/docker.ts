import { existsSync } from "node:fs";
import { homedir, release } from "node:os";
import { join } from "node:path";

import { UserError } from "../lib/errors.ts";
import { attempt, run, type CommandResult } from "./command.ts";

/** What set-up needs to know of a Docker daemon. */
export interface Docker {
  /** Address of its API, as DOCKER_HOST takes it. */
  endpoint: string;
  memoryMb: number;
  cpus: number;
  /** `bridge` where the daemon has a machine of its own, so that its host network is not this one's. */
  edgeNetwork: "host" | "bridge";
}

const DEFAULT_ENDPOINT = "unix:///var/run/docker.sock";

/** The addresses worth trying, the docker command's own choice first. */
export async function findEndpoints(): Promise<string[]> {
  const chosen = process.env["DOCKER_HOST"];
  if (chosen) return [chosen];
  const { isFine, stdout } = await attempt("docker", ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]);
  const others = [".docker/run/docker.sock", ".docker/desktop/docker.sock", ".colima/default/docker.sock", ".orbstack/run/docker.sock", ".rd/docker.sock"];
  const sockets = others.map((path) => join(homedir(), path)).filter(existsSync);
  const current = isFine && stdout.trim() !== "" ? [stdout.trim()] : [];
  return [...new Set([...current, DEFAULT_ENDPOINT, ...sockets.map((path) => `unix://${path}`)])];
}

/** The daemon at an address, or the words of the docker command when none answers. */
export async function askDaemon(endpoint: string): Promise<Docker | string> {
  const result = await tryDocker(endpoint, ["info", "--format", "{{json .}}"], 10_000);
  if (!result.isFine) return result.complaint;
  const info = JSON.parse(result.stdout) as { MemTotal: number; NCPU: number; OperatingSystem: string; KernelVersion: string };
  const isOnThisKernel = process.platform === "linux" && info.KernelVersion === release() && info.OperatingSystem !== "Docker Desktop";
  return { endpoint, memoryMb: Math.floor(info.MemTotal / 2 ** 20), cpus: info.NCPU, edgeNetwork: isOnThisKernel ? "host" : "bridge" };
}

/** Runs the docker command against a daemon and says how it went. */
export async function tryDocker(endpoint: string, args: readonly string[], timeoutMs?: number): Promise<CommandResult> {
  return await attempt("docker", args, { env: environment(endpoint), timeoutMs });
}

/** Runs the docker command against a daemon and gives its stdout; its own words are the error. */
export async function docker(endpoint: string, args: readonly string[]): Promise<string> {
  return (await run(`docker ${args[0] ?? ""}`, "docker", args, { env: environment(endpoint) })).trim();
}

/** Lines of a docker listing, without the empty one. */
export async function dockerLines(endpoint: string, args: readonly string[]): Promise<string[]> {
  return (await docker(endpoint, args)).split("\n").filter((line) => line !== "");
}

/** A context would win over nothing, but must not win over the address that was found to answer. */
function environment(endpoint: string): Record<string, string | undefined> {
  return { DOCKER_HOST: endpoint, DOCKER_CONTEXT: undefined };
}

/** Refuses a daemon on another machine: the local stack listens where it runs. */
export function requireThisMachine(endpoint: string): void {
  if (!endpoint.startsWith("ssh://")) return;
  throw new UserError(`Docker at ${endpoint} is another machine, and the local stack runs on this one`, {
    hint: "unset DOCKER_HOST, or `docker context use default`; other machines belong to other stacks",
  });
}
