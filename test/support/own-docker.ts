import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

/** A Docker daemon of the test's own, with a network of its own, so that it may be restarted. */
export interface OwnDocker {
  /** For DOCKER_HOST. */
  readonly endpoint: string;
  /** Runs a command in the daemon's network, whose loopback is not this machine's; what it printed. */
  readonly exec: (...command: string[]) => Promise<string>;
  /** Ends the daemon as a system does that is shut down or gets a new version of it, and starts it again. */
  readonly restart: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** What this machine lacks for a daemon of the test's own. */
export function findOwnDockerLack(): string | undefined {
  const purpose = "a Docker daemon of the test's own";
  if (process.platform !== "linux") return `${purpose} needs Linux`;
  if (process.getuid?.() !== 0) return `${purpose} needs root`;
  const missing = ["dockerd", "ip", "nsenter", "unshare"].filter(
    (command) => !(process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, command))),
  );
  return missing.length === 0 ? undefined : `${purpose} needs ${missing.join(", ")}`;
}

/** Starts a daemon that shares nothing with the machine's but its kernel, and copies images into it. */
export async function startOwnDocker(images: readonly string[], from: Record<string, string>): Promise<OwnDocker> {
  const folder = mkdtempSync(join(tmpdir(), "openclaw-tenants-docker-"));
  const endpoint = `unix://${join(folder, "docker.sock")}`;
  // Two daemons in one network rewrite each other's firewall. This process does nothing but hold the other one open.
  const holder = execa("unshare", ["--net", "sleep", "infinity"], { reject: false });
  const inNetwork = (command: readonly string[]): [string, string[]] => ["nsenter", ["--net", "--target", `${holder.pid ?? 0}`, ...command]];
  /** Settles when the daemon has ended. */
  let daemon: Promise<void> | undefined;

  const start = async (): Promise<void> => {
    const data = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "--pidfile", join(folder, "pid"), "--host", endpoint];
    // Where the system has a containerd, its containers are kept apart by name.
    const names = [
      "--containerd-namespace",
      folder.replaceAll("/", "-").slice(1),
      "--containerd-plugins-namespace",
      `${folder.replaceAll("/", "-").slice(1)}-plugins`,
    ];
    let words: string | undefined;
    daemon = execa(...inNetwork(["dockerd", ...data, ...names]), { reject: false, all: true }).then(({ all }) => {
      words = all;
    });
    await waitUntil(async () => {
      if (words !== undefined) throw new Error(`dockerd ended at once:\n${words}`);
      return (await execa("docker", ["--host", endpoint, "version"], { reject: false })).exitCode === 0;
    }, "dockerd does not answer");
  };
  const stop = async (): Promise<void> => {
    const pid = existsSync(join(folder, "pid")) ? Number(readFileSync(join(folder, "pid"), "utf8")) : undefined;
    if (pid !== undefined) process.kill(pid, "SIGTERM");
    await daemon;
  };
  const own: OwnDocker = {
    endpoint,
    exec: async (...command) => (await execa(...inNetwork(command))).stdout,
    restart: async () => {
      await stop();
      await start();
    },
    dispose: async () => {
      await stop();
      holder.kill();
      await holder;
      // A daemon leaves its mounts of network namespaces behind; the last one was made first.
      const mounts = readFileSync("/proc/mounts", "utf8")
        .split("\n")
        .flatMap((line) => line.split(" ", 2)[1] ?? []);
      for (const mount of mounts.filter((path) => path.startsWith(`${folder}/`)).toReversed()) await execa("umount", [mount]);
      rmSync(folder, { recursive: true, force: true });
    },
  };

  try {
    await waitUntil(async () => (await execa(...inNetwork(["ip", "link", "set", "lo", "up"]), { reject: false })).exitCode === 0, "no network of its own");
    await start();
    await execa("docker", ["save", ...images], { env: from, buffer: false }).pipe("docker", ["--host", endpoint, "load"]);
    return own;
  } catch (error) {
    await own.dispose();
    throw error;
  }
}

async function waitUntil(isSo: () => Promise<boolean>, otherwise: string): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${otherwise} after two minutes`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
