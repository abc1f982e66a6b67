import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, rm, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { cached, cacheDir, inTemporaryDir } from "../../../tools/cache.ts";
import { attempt, run } from "../../../tools/command.ts";
import { waitUntil } from "./processes.ts";

const KEPT = "server-images";
/** Sets of images that stay for later runs; each takes as much as its images. */
const KEPT_SETS = 3;
/** Where Docker has its images; the rest of its folder is made anew by each daemon. */
const PARTS = ["image", "overlay2"];

/** Gives the servers that a world makes from now on a Docker that has these images, as if pulled. `env` leads to the Docker that has them. */
export async function preloadImages(world: string, images: readonly string[], env: Record<string, string>): Promise<void> {
  const ids = await run("looking for images", "docker", ["image", "inspect", "--format", "{{.Id}} {{.RepoTags}}", ...images], { env });
  const name = join(KEPT, createHash("sha256").update(ids).digest("hex").slice(0, 12));
  const dir = await cached(name, async (fresh) => {
    await fill(fresh, images, env);
    return true;
  });
  if (dir === undefined) throw new Error("images for stand-in servers were not kept");
  await utimes(dir, new Date(), new Date());
  const sets = readdirSync(join(cacheDir, KEPT)).map((set) => join(cacheDir, KEPT, set));
  const old = sets.toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs).slice(KEPT_SETS);
  for (const set of old) await rm(set, { recursive: true, force: true });
  await mkdir(world, { recursive: true });
  await rm(join(world, "images"), { force: true });
  await symlink(dir, join(world, "images"));
}

/** Puts the images of a world into a Docker's folder. Layers are never written to, so where it can be they are the same files. */
export async function copyImages(world: string, dataRoot: string): Promise<void> {
  const from = join(world, "images");
  if (!existsSync(from)) return;
  await mkdir(dataRoot, { recursive: true, mode: 0o711 });
  const isSameDisk = statSync(from).dev === statSync(dataRoot).dev;
  await run("copying images", "cp", ["--archive", "--reflink=auto", join(from, "image"), dataRoot]);
  await run("copying images", "cp", ["--archive", isSameDisk ? "--link" : "--reflink=auto", join(from, "overlay2"), dataRoot]);
}

/** Loads images by a daemon that has no network and runs no container. */
async function fill(dir: string, images: readonly string[], env: Record<string, string>): Promise<void> {
  await inTemporaryDir(`${KEPT}-daemon`, async (scratch) => {
    const socket = `unix://${join(scratch, "docker.sock")}`;
    const pidFile = join(scratch, "pid");
    const log = openSync(join(scratch, "log"), "w");
    const places = ["--data-root", dir, "--exec-root", join(scratch, "exec"), "--pidfile", pidFile, "--host", socket, "--storage-driver", "overlay2"];
    const noNetwork = ["--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"];
    // Its mounts go with it. In this machine's network it would take the bridge of another daemon for its own.
    const daemon = spawn("unshare", ["--mount", "--net", "dockerd", ...places, ...noNetwork], { stdio: ["ignore", log, log] });
    const ended = new Promise<void>((resolve) =>
      daemon.once("exit", () => {
        resolve();
      }),
    );
    try {
      await waitUntil(async () => {
        if (daemon.exitCode !== null) throw new Error(`dockerd ended at once:\n${readFileSync(join(scratch, "log"), "utf8")}`);
        return (await attempt("docker", ["--host", socket, "version"])).isFine;
      }, "dockerd does not answer");
      await execa("docker", ["save", ...images], { env, buffer: false }).pipe("docker", ["--host", socket, "load"]);
    } finally {
      daemon.kill("SIGTERM");
      await ended;
    }
  });
  for (const entry of readdirSync(dir)) if (!PARTS.includes(entry)) await rm(join(dir, entry), { recursive: true });
}
