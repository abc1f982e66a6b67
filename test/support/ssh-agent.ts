import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { withTemporaryDir } from "../standin/temporary-dir.ts";

/** An Ed25519 key as OpenSSH writes it. */
export interface KeyPair {
  privateKey: string;
  /** One line: type and key. */
  publicKey: string;
}

/** An operator's agent, with keys that are in no file. */
export interface Agent {
  /** Tells ssh where it is. */
  readonly env: { SSH_AUTH_SOCK: string };
  readonly dispose: () => Promise<void>;
}

export async function makeKeyPair(): Promise<KeyPair> {
  return await withTemporaryDir("key", async (dir) => {
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", join(dir, "key")]);
    return { privateKey: await readFile(join(dir, "key"), "utf8"), publicKey: (await readFile(join(dir, "key.pub"), "utf8")).trim() };
  });
}

/** Starts an agent of the test's own. */
export async function startAgent(...keys: KeyPair[]): Promise<Agent> {
  const dir = await mkdtemp(join(tmpdir(), "openclaw-tenants-agent-"));
  const env = { SSH_AUTH_SOCK: join(dir, "socket") };
  // In the foreground it is this process's child, and ends with it.
  const agent = execa("ssh-agent", ["-D", "-a", env.SSH_AUTH_SOCK], { reject: false });
  const dispose = async (): Promise<void> => {
    agent.kill();
    await agent;
    await rm(dir, { recursive: true, force: true });
  };
  try {
    for (const { privateKey } of keys) await addKey(privateKey, env);
    return { env, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function addKey(privateKey: string, env: Agent["env"]): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { exitCode, stderr } = await execa("ssh-add", ["-q", "-"], { env, input: privateKey, reject: false });
    if (exitCode === 0) return;
    if (Date.now() > deadline) throw new Error(`the agent takes no key: ${stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
