import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { cacheDir, inTemporaryDir, locked } from "./cache.ts";
import { attempt } from "./command.ts";
import { isReachable } from "./download.ts";
import { pulumiReleases, type Engine } from "./engine.ts";
import { go } from "./go.ts";
import { say, timed } from "./progress.ts";
import { hashRecipe, toolsDir } from "./recipe.ts";

const NAMES = ["docker", "random"] as const;

interface PlugIn {
  name: (typeof NAMES)[number];
  version: string;
}

/** Where the engine finds its plug-ins. */
export interface PlugIns {
  /** The folder PULUMI_HOME must name; absent when the user's own has everything. */
  home: string | undefined;
  /** Whether set-up built them, so that the engine must not look for others. */
  areBuilt: boolean;
}

/** The plug-ins of the program's SDKs: the user's own, else the cache's, else fetched by the engine, else built from Go modules. */
export async function setUpPlugIns(projectDir: string, engine: Promise<Engine>): Promise<PlugIns> {
  const plugIns = NAMES.map((name) => ({ name, version: readVersion(projectDir, name) }));
  const fetched = { home: join(cacheDir, "pulumi-home"), areBuilt: false };
  const built = { home: join(cacheDir, `pulumi-home-built-${hashRecipe(["plug-ins"], ...plugIns.map(({ version }) => version))}`), areBuilt: true };
  const isComplete = ({ home }: { home: string }) => plugIns.every((plugIn) => existsSync(pathOf(home, plugIn)));
  const findInCache = () => [fetched, built].find(isComplete);

  const usersOwn = { home: process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi") };
  if (isComplete(usersOwn) && !usersOwn.home.startsWith(cacheDir) && !(await engine).isOurs) return { home: undefined, areBuilt: false };
  return (
    findInCache() ??
    (await locked("plug-ins", async () => {
      const done = findInCache();
      if (done !== undefined) return done;
      if (await fetchOfficial(plugIns, fetched.home, engine)) return fetched;
      for (const plugIn of plugIns) await build(plugIn, built.home);
      return built;
    }))
  );
}

/** The SDK says which plug-in it wants. */
function readVersion(projectDir: string, name: string): string {
  const manifest = JSON.parse(readFileSync(join(projectDir, "node_modules", "@pulumi", name, "package.json"), "utf8")) as { pulumi: { version: string } };
  return manifest.pulumi.version;
}

function dirOf(home: string, { name, version }: PlugIn): string {
  return join(home, "plugins", `resource-${name}-v${version}`);
}

function pathOf(home: string, plugIn: PlugIn): string {
  return join(dirOf(home, plugIn), `pulumi-resource-${plugIn.name}`);
}

async function fetchOfficial(plugIns: readonly PlugIn[], home: string, engine: Promise<Engine>): Promise<boolean> {
  const server = `${pulumiReleases}/plugins`;
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const [first] = plugIns;
  if (first === undefined || !(await isReachable(`${server}/pulumi-resource-${first.name}-v${first.version}-${process.platform}-${arch}.tar.gz`))) return false;
  const { pulumi } = await engine;
  return await timed("plug-ins", `fetching ${plugIns.map(({ name, version }) => `${name} ${version}`).join(" and ")}`, async () => {
    for (const { name, version } of plugIns) {
      const args = ["plugin", "install", "resource", name, version, "--server", server];
      const { isFine, complaint } = await attempt(pulumi, args, { env: { PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" }, timeoutMs: 300_000 });
      if (!isFine) {
        say("plug-ins", complaint);
        return false;
      }
    }
    return true;
  });
}

/** The Terraform provider behind Pulumi's bridge, from the Go module proxy. */
async function build(plugIn: PlugIn, home: string): Promise<void> {
  const { name, version } = plugIn;
  if (existsSync(pathOf(home, plugIn))) return;
  await timed("plug-ins", `no official plug-in within reach; building ${name} ${version} from Go modules (minutes, once)`, async () => {
    await inTemporaryDir(`plug-in-${name}`, async (dir) => {
      // The tag leaves out docker compose, which the bridge's tree drags in.
      const flags = ["-buildvcs=false", "-tags", "no_compose", "-ldflags", `-s -w -X main.version=${version}`];
      const args = ["build", ...flags, "-o", join(dir, "plug-in", `pulumi-resource-${name}`), `./cmd/pulumi-resource-${name}`];
      const instead = `run \`pulumi plugin install resource ${name} ${version}\`, or install Go 1.26 or later`;
      await go(`the Pulumi plug-in ${name}`, args, { cwd: join(toolsDir, "plug-ins"), instead });
      await mkdir(join(home, "plugins"), { recursive: true });
      await rename(join(dir, "plug-in"), dirOf(home, plugIn));
    });
  });
}
