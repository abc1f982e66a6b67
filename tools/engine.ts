import { existsSync, realpathSync } from "node:fs";
import { copyFile, rm } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";

import { compareVersions } from "../lib/image.ts";
import { attempt, run } from "./command.ts";
import { cacheDir, cached } from "./cache.ts";
import { download, isReachable } from "./download.ts";
import { go } from "./go.ts";
import { timed } from "./progress.ts";
import { hashRecipe, toolsDir } from "./recipe.ts";
import { OLDEST_PULUMI, PULUMI_VERSION } from "./versions.ts";

/** Where Pulumi publishes itself; another address serves a mirror. */
export const pulumiReleases = process.env["OPENCLAW_TENANTS_PULUMI_URL"] ?? "https://get.pulumi.com/releases";

const LANGUAGE_HOST = "pulumi-language-nodejs";

/** The Pulumi engine that was chosen. */
export interface Engine {
  /** Path of the program. */
  pulumi: string;
  version: string;
  /** Whether it lies in the cache, so that the user's own Pulumi folder is not its business. */
  isOurs: boolean;
  /** Whether the official Node.js language host came with it. */
  hasLanguageHost: boolean;
}

/** The engine: what the machine has, else what the cache has, else the official release, else built from Go modules. */
export async function setUpEngine(ownDirs: readonly string[]): Promise<Engine> {
  return (await findOnPath(ownDirs)) ?? findInCache() ?? (await fetchOfficial()) ?? (await build());
}

/** A new enough engine on PATH with its language host. Folders that set-up itself put on PATH do not count. */
async function findOnPath(ownDirs: readonly string[]): Promise<Engine | undefined> {
  const dirs = (process.env["PATH"] ?? "").split(delimiter).filter((dir) => dir !== "" && !dir.startsWith(cacheDir) && !ownDirs.includes(dir));
  const pulumi = dirs.map((dir) => join(dir, "pulumi")).find(existsSync);
  if (pulumi === undefined) return undefined;
  const hasLanguageHost = [dirname(realpathSync(pulumi)), ...dirs].some((dir) => existsSync(join(dir, LANGUAGE_HOST)));
  if (!hasLanguageHost) return undefined;
  const { stdout } = await attempt(pulumi, ["version"], { env: { PULUMI_SKIP_UPDATE_CHECK: "true" }, timeoutMs: 10_000 });
  const version = /^v(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version === undefined || compareVersions(version, OLDEST_PULUMI) < 0) return undefined;
  return { pulumi, version, isOurs: false, hasLanguageHost };
}

const officialName = `pulumi-${PULUMI_VERSION}`;
const builtName = () => `pulumi-${OLDEST_PULUMI}-built-${hashRecipe(["engine"])}`;

function official(dir: string): Engine {
  return { pulumi: join(dir, "pulumi"), version: PULUMI_VERSION, isOurs: true, hasLanguageHost: true };
}

function built(dir: string): Engine {
  return { pulumi: join(dir, "pulumi"), version: OLDEST_PULUMI, isOurs: true, hasLanguageHost: false };
}

function findInCache(): Engine | undefined {
  return [official(join(cacheDir, officialName)), built(join(cacheDir, builtName()))].find(({ pulumi }) => existsSync(pulumi));
}

async function fetchOfficial(): Promise<Engine | undefined> {
  const url = `${pulumiReleases}/sdk/pulumi-v${PULUMI_VERSION}-${process.platform}-${process.arch}.tar.gz`;
  if (!(await isReachable(url))) return undefined;
  const dir = await timed(
    "engine",
    `fetching Pulumi ${PULUMI_VERSION}`,
    async () =>
      await cached(officialName, async (temporary) => {
        const archive = join(temporary, "pulumi.tar.gz");
        if (!(await download(url, archive))) return false;
        await run("unpacking Pulumi", "tar", ["-xzf", archive, "-C", temporary, "--strip-components=1"]);
        await rm(archive);
        return true;
      }),
  );
  return dir === undefined ? undefined : official(dir);
}

/** Built from the Go module proxy. The version is set by hand, since stripping loses it. */
async function build(): Promise<Engine> {
  const version = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${OLDEST_PULUMI}`;
  const dir = await timed(
    "engine",
    `no official release within reach; building Pulumi ${OLDEST_PULUMI} from Go modules (minutes, once)`,
    async () =>
      await cached(builtName(), async (temporary) => {
        const args = [
          "build",
          "-buildvcs=false",
          "-ldflags",
          `-s -w ${version}`,
          "-o",
          join(temporary, "pulumi"),
          "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        ];
        await go("the Pulumi engine", args, { cwd: join(toolsDir, "engine"), instead: `install Pulumi ${OLDEST_PULUMI} or later, or Go 1.26 or later` });
        await copyFile(join(toolsDir, "engine", LANGUAGE_HOST), join(temporary, LANGUAGE_HOST));
        return true;
      }),
  );
  return built(String(dir));
}
