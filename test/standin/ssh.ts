import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";

import * as z from "zod";

import { withTemporaryDir } from "./temporary-dir.ts";

/** What of the provider's connection the stand-in knows; passwords and a proxy it does not. */
export const Connection = z.strictObject({
  host: z.string(),
  user: z.string().default("root"),
  port: z.int().min(1).max(65_535).default(22),
  privateKey: z.string().optional(),
  /** As in `authorized_keys`. Absent: any host is believed. */
  hostKey: z.string().optional(),
  agentSocketPath: z.string().optional(),
  /** Failed attempts that are forgiven; -1 forgives all of them. */
  dialErrorLimit: z.int().min(-1).default(10),
  /** 0: as long as the network takes. */
  perDialTimeout: z.int().min(0).default(15),
});

/** From the provider's retry (pulumi/sdk/go/common/util/retry). */
const PAUSE = { firstMs: 100, growth: 1.5, longestMs: 5000 };

export interface RemoteRun {
  connection: z.output<typeof Connection>;
  command: string;
  stdin: string;
  /** Sent to the host, whose sshd takes what its AcceptEnv names and drops the rest. */
  environment: Readonly<Record<string, string>>;
  /** Ends the dialling. A command that runs is not cut short: the provider does not do that either. */
  signal: AbortSignal;
  log: (message: string) => void;
  onLine: (stream: "stdout" | "stderr", line: string) => void;
}

export interface RemoteResult {
  stdout: string;
  stderr: string;
}

interface Attempt extends RemoteResult {
  isConnected: boolean;
  /** Both streams, as they came. */
  all: string;
  /** How it ended, in the provider's words. */
  failure: string | undefined;
}

/** Runs a command on a host. Whatever keeps it from the host, a wrong key included, is tried again as often as the connection says. */
export async function runRemotely(run: RemoteRun): Promise<RemoteResult> {
  const { privateKey } = run.connection;
  return await withTemporaryDir("ssh", async (dir) => {
    if (privateKey !== undefined) await writeFile(join(dir, "key"), `${privateKey.trimEnd()}\n`, { mode: 0o600 });
    return await dial(run, dir);
  });
}

async function dial(run: RemoteRun, dir: string): Promise<RemoteResult> {
  const { host, port, dialErrorLimit } = run.connection;
  let pauseMs = PAUSE.firstMs;
  let obstacle = "";
  for (let dials = 1; ; dials++) {
    const attempt = await connect(run, dir);
    if (attempt.isConnected) return checkResult(run.command, attempt);
    // An attempt that was cut short has nothing to say.
    if (attempt.stderr !== "") obstacle = attempt.stderr.trimEnd().split("\n").at(-1) ?? "";
    if (run.signal.aborted) throw new Error(`${reasonOf(run.signal)} while dialling ${host}:${port}: ${obstacle}`);
    if (dialErrorLimit !== -1 && dials > dialErrorLimit) throw new Error(`after ${dialErrorLimit} failed attempts: ${obstacle}`);
    run.log(`Dial ${dials}/${dialErrorLimit === -1 ? "inf" : dialErrorLimit} failed: retrying`);
    // Cut short, it leaves the telling to the next attempt.
    await wait(pauseMs, undefined, { signal: run.signal }).catch(() => undefined);
    pauseMs = Math.min(pauseMs * PAUSE.growth, PAUSE.longestMs);
  }
}

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill();
});

async function connect({ connection, command, stdin, environment, signal, onLine }: RemoteRun, dir: string): Promise<Attempt> {
  const flag = join(dir, "connected");
  const args = [...sshOptions(connection, dir), ...Object.keys(environment).flatMap((name) => ["-o", `SendEnv=${name}`])];
  // Exit status 255 is ssh's own and a command's as well; this tells whether there was a connection.
  const tell = ["-o", "PermitLocalCommand=yes", "-o", `LocalCommand=: >'${flag}'`];
  const child = spawn("ssh", [...args, ...tell, "--", connection.host, command], { env: { ...process.env, ...environment } });
  const giveUp = () => {
    if (!existsSync(flag)) child.kill();
  };
  const attempt: Attempt = { isConnected: false, stdout: "", stderr: "", all: "", failure: undefined };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      attempt[stream] += text;
      attempt.all += text;
    });
    createInterface({ input: child[stream] }).on("line", (line) => {
      if (existsSync(flag)) onLine(stream, line);
    });
  }
  // A command may end without reading what it is given.
  child.stdin.on("error", () => undefined).end(stdin);
  children.add(child);
  signal.addEventListener("abort", giveUp);
  if (signal.aborted) giveUp();
  try {
    attempt.failure = await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, killedBy) => {
        resolve(code === 0 ? undefined : `Process exited with ${killedBy === null ? `status ${code ?? 0}` : `signal ${killedBy.slice(3)}`}`);
      });
    });
  } finally {
    children.delete(child);
    signal.removeEventListener("abort", giveUp);
  }
  attempt.isConnected = existsSync(flag);
  return attempt;
}

function sshOptions({ user, port, privateKey, hostKey, agentSocketPath, perDialTimeout }: RemoteRun["connection"], dir: string): string[] {
  const known = hostKey === undefined ? ["StrictHostKeyChecking=no"] : ["StrictHostKeyChecking=yes", `KnownHostsCommand=/bin/echo %H ${hostKey.trim()}`];
  const agent = agentSocketPath === undefined ? [] : [`IdentityAgent=${agentSocketPath}`];
  const identity =
    privateKey === undefined ? ["IdentityFile=none", ...agent] : [`IdentityFile=${join(dir, "key")}`, "IdentitiesOnly=yes", "IdentityAgent=none"];
  const timeout = perDialTimeout === 0 ? [] : [`ConnectTimeout=${perDialTimeout}`];
  const always = ["BatchMode=yes", "LogLevel=ERROR", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null", "PreferredAuthentications=publickey"];
  const options = [...always, ...known, ...identity, ...timeout].flatMap((option) => ["-o", option]);
  return ["-F", "none", "-T", "-l", user, "-p", `${port}`, ...options];
}

function checkResult(command: string, { failure, stdout, stderr, all }: Attempt): RemoteResult {
  if (failure !== undefined) throw new Error(`${failure}: running ${JSON.stringify(command)}:\n${all}`);
  return { stdout: withoutLastBreak(stdout), stderr: withoutLastBreak(stderr) };
}

function withoutLastBreak(text: string): string {
  return text.replace(/\n$/, "");
}

function reasonOf(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
}
