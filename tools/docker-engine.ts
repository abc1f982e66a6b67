import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { UserError } from "../lib/errors.ts";
import { install, isDebianRoot } from "./apt.ts";
import { cacheDir, locked } from "./cache.ts";
import { attempt } from "./command.ts";
import { askDaemon, findEndpoints, requireThisMachine, type Docker } from "./docker.ts";
import { say, timed } from "./progress.ts";

const START_MS = 60_000;

/** A Docker daemon that answers: one that runs, else the installed one started, else (Debian and Ubuntu, as root) installed first. */
export async function setUpDockerEngine(options: { mayInstall: boolean }): Promise<Docker> {
  const endpoints = await findEndpoints();
  const found = await findDaemon(endpoints);
  if (typeof found !== "string") return found;
  if (process.env["DOCKER_HOST"]) {
    throw new UserError(`no Docker daemon answers at DOCKER_HOST ${endpoints[0] ?? ""}:\n${found}`, { hint: "start it, or unset DOCKER_HOST" });
  }
  return await locked("docker", async () => {
    const meanwhile = await findDaemon(endpoints);
    if (typeof meanwhile !== "string") return meanwhile;
    if (!isDebianRoot()) throw new UserError(`no Docker daemon answers:\n${meanwhile}`, { hint: wayOut(meanwhile) });
    if (findProgram("dockerd") === undefined || findProgram("docker") === undefined) await install("Docker", ["docker.io", "iptables"], options);
    return await start(endpoints);
  });
}

async function findDaemon(endpoints: readonly string[]): Promise<Docker | string> {
  let complaint = "";
  for (const endpoint of endpoints) {
    requireThisMachine(endpoint);
    const answer = await askDaemon(endpoint);
    if (typeof answer !== "string") return answer;
    complaint ||= answer;
  }
  return complaint;
}

function wayOut(complaint: string): string {
  if (/permission denied/i.test(complaint)) return "let this user speak to Docker: `sudo usermod -aG docker $USER`, then log in again";
  if (process.platform === "darwin") return "start Docker Desktop, or install it: `brew install --cask docker`";
  return "start it (`sudo systemctl start docker`), or install it: `sudo apt-get install docker.io` on Debian and Ubuntu, https://docs.docker.com/engine/install elsewhere";
}

function findProgram(name: string): string | undefined {
  const dirs = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"];
  return dirs.map((dir) => join(dir, name)).find(existsSync);
}

async function start(endpoints: readonly string[]): Promise<Docker> {
  const log = join(cacheDir, "dockerd.log");
  return await timed("docker", `no daemon answers; starting it`, async () => {
    const hasSystemd = existsSync("/run/systemd/system");
    if (hasSystemd) await attempt("systemctl", ["start", "docker"]);
    else await startByHand(log);
    const deadline = Date.now() + START_MS;
    for (;;) {
      const answer = await findDaemon(endpoints);
      if (typeof answer !== "string") return answer;
      if (Date.now() > deadline) {
        const where = hasSystemd
          ? "`journalctl -u docker` says why"
          : `${log} ends with:\n${(await readFile(log, "utf8")).trim().split("\n").slice(-5).join("\n")}`;
        throw new UserError(`the Docker daemon was started and does not answer: ${answer}`, { hint: where });
      }
      await sleep(250);
    }
  });
}

/** Without systemd nobody else would start it. In a session of its own it outlives this one, and writes its own pid file. */
async function startByHand(log: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  const output = await open(log, "w");
  try {
    const daemon = spawn(findProgram("dockerd") ?? "/usr/sbin/dockerd", [], {
      detached: true,
      stdio: ["ignore", output.fd, output.fd],
      env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
    });
    daemon.on("error", (error) => {
      say("docker", error.message);
    });
    daemon.unref();
  } finally {
    await output.close();
  }
}
