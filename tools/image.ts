import { execa } from "execa";

import { locked } from "./cache.ts";
import { tryDocker } from "./docker.ts";
import { say, timed } from "./progress.ts";

/** How long a registry may take for its first word. */
const ANSWER_MS = 5000;

/** How a container image is had. */
export interface ImageSource {
  /** How set-up calls it: `openclaw`, `caddy`. */
  part: string;
  /** Repository and tag in the public registry. */
  official: string;
  /** Tag of the image that set-up builds; it names version and recipe. */
  built: string;
  /** Builds it under that tag. */
  build: (endpoint: string) => Promise<void>;
}

/** Reference of an image on this Docker: the official one by digest, else the one built by set-up under its own tag. */
export async function setUpImage(endpoint: string, source: ImageSource): Promise<string> {
  return (await findImage(endpoint, source)) ?? (await locked(`image-${source.part}`, async () => await provide(endpoint, source)));
}

async function findImage(endpoint: string, { official, built }: ImageSource): Promise<string | undefined> {
  return (await findPinned(endpoint, official)) ?? ((await hasImage(endpoint, built)) ? built : undefined);
}

async function hasImage(endpoint: string, reference: string): Promise<boolean> {
  return (await tryDocker(endpoint, ["image", "inspect", "--format", "{{.Id}}", reference])).isFine;
}

/** An image in its pinned form; an image without a digest never came from a registry. */
async function findPinned(endpoint: string, tag: string): Promise<string | undefined> {
  const { isFine, stdout } = await tryDocker(endpoint, ["image", "inspect", "--format", "{{json .RepoDigests}}", tag]);
  if (!isFine) return undefined;
  const digests = (JSON.parse(stdout) as string[] | null) ?? [];
  const digest = digests.map((reference) => reference.split("@")[1]).find((part) => part !== undefined);
  return digest === undefined ? undefined : `${tag}@${digest}`;
}

async function provide(endpoint: string, source: ImageSource): Promise<string> {
  const found = await findImage(endpoint, source);
  if (found !== undefined) return found;
  if (await pull(endpoint, source)) {
    const pinned = await findPinned(endpoint, source.official);
    if (pinned !== undefined) return pinned;
  }
  await timed(source.part, `no registry within reach; building ${source.built} (a minute or more, once)`, async () => {
    await source.build(endpoint);
  });
  return source.built;
}

/** Pulls an image; given up when the registry says nothing within seconds. */
async function pull(endpoint: string, { part, official }: ImageSource): Promise<boolean> {
  say(part, `pulling ${official}`);
  const child = execa("docker", ["pull", official], { env: { DOCKER_HOST: endpoint }, reject: false, stdin: "ignore" });
  const watchdog = setTimeout(() => child.kill(), ANSWER_MS);
  child.stdout.once("data", () => {
    clearTimeout(watchdog);
  });
  const result = await child;
  clearTimeout(watchdog);
  return !result.failed;
}

/** Turns a folder into an image. `changes` are Dockerfile instructions. */
export async function importImage(endpoint: string, rootDir: string, tag: string, changes: readonly string[]): Promise<void> {
  const flags = changes.flatMap((change) => ["--change", change]);
  await execa("tar", ["--numeric-owner", "-C", rootDir, "-c", "."], { buffer: { stdout: false }, encoding: "buffer" }).pipe(
    "docker",
    ["import", ...flags, "-", tag],
    { env: { DOCKER_HOST: endpoint } },
  );
}
