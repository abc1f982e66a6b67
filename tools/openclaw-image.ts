import { existsSync } from "node:fs";
import { chmod, chown, copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";

import { UserError } from "../lib/errors.ts";
import { install, isDebianRoot, readOsRelease } from "./apt.ts";
import { inTemporaryDir } from "./cache.ts";
import { run } from "./command.ts";
import { importImage, type ImageSource } from "./image.ts";
import { hashRecipe, toolsDir } from "./recipe.ts";
import { OPENCLAW_VERSION } from "./versions.ts";

const PACKAGES = ["ca-certificates", "curl", "git", "procps", "tini"];
const NODE_USER = 1000;

/** The OpenClaw image: the official one, or Debian, the pinned Node and the npm package, laid out like it. */
export function openclawImage(options: { mayInstall: boolean }): ImageSource {
  const hash = hashRecipe(["openclaw-image.ts", "openclaw-image"], process.versions.node);
  const built = `openclaw-tenants/openclaw:${OPENCLAW_VERSION}-built-${hash}`;
  return {
    part: "openclaw",
    official: `openclaw/openclaw:${OPENCLAW_VERSION}`,
    built,
    build: async (endpoint) => {
      if (!isDebianRoot()) {
        throw new UserError("the OpenClaw image: Docker Hub cannot be reached, and building the image takes Debian or Ubuntu as root", {
          hint: `\`docker pull openclaw/openclaw:${OPENCLAW_VERSION}\` where it can be reached; \`docker save\` and \`docker load\` bring it here`,
        });
      }
      if (!existsSync("/usr/sbin/debootstrap")) await install("debootstrap", ["debootstrap"], options);
      await inTemporaryDir("image-openclaw", async (dir) => {
        const [rootDir, modulesDir] = [join(dir, "root"), join(dir, "openclaw")];
        await Promise.all([bootstrap(rootDir), installPackage(modulesDir)]);
        await assemble(rootDir, modulesDir);
        await importImage(endpoint, rootDir, built, [
          "ENV NODE_ENV=production",
          "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          "WORKDIR /app",
          "USER node",
          'ENTRYPOINT ["tini","-s","--"]',
          'CMD ["node","openclaw.mjs","gateway"]',
        ]);
      });
    },
  };
}

/** The smallest system of this machine's own release, from the archive that this machine uses. */
async function bootstrap(rootDir: string): Promise<void> {
  const { ID: distribution, VERSION_CODENAME: suite = "" } = readOsRelease();
  const targets = await run("asking apt for its archive", "apt-get", ["indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"]);
  const mirror = targets
    .split("\n")
    .map((line) => line.split(" "))
    .find(([codename]) => codename === suite)?.[1];
  const components = distribution === "ubuntu" ? "main,universe" : "main";
  const args = ["--variant=minbase", `--components=${components}`, `--include=${PACKAGES.join(",")}`, suite, rootDir];
  // In a mount namespace of its own: the /proc it mounts would stay behind, be packed, and stand in the way of clearing up.
  await run("debootstrap", "unshare", ["--mount", "debootstrap", ...args, ...(mirror === undefined ? [] : [mirror])]);
}

/** The package as the lock file names it, installed by the pinned Node: OpenClaw's own scripts refuse an older one. */
async function installPackage(dir: string): Promise<void> {
  await mkdir(dir);
  for (const file of ["package.json", "package-lock.json"]) await copyFile(join(toolsDir, "openclaw-image", file), join(dir, file));
  const npm = process.env["npm_execpath"] ?? "";
  const [file, ...first] = npm.endsWith("npm-cli.js") ? [process.execPath, npm] : ["npm"];
  const path = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
  const env = { PATH: path, NODE_ENV: undefined, npm_config_omit: undefined };
  await run("installing the npm package openclaw", file, [...first, "ci", "--loglevel=error", "--no-audit", "--no-fund"], { cwd: dir, env });
}

async function assemble(rootDir: string, modulesDir: string): Promise<void> {
  const inRoot = (path: string) => join(rootDir, path);
  await copyFile(process.execPath, inRoot("usr/local/bin/node"));
  await chmod(inRoot("usr/local/bin/node"), 0o755);
  await mkdir(inRoot("opt"), { recursive: true });
  await run("moving OpenClaw into the image", "mv", [modulesDir, inRoot("opt/openclaw")]);
  await symlink("/opt/openclaw/node_modules/openclaw", inRoot("app"));
  await symlink("/app/openclaw.mjs", inRoot("usr/local/bin/openclaw"));
  await run("adding the user node", "useradd", [
    "--root",
    rootDir,
    "--uid",
    String(NODE_USER),
    "--user-group",
    "--shell",
    "/bin/bash",
    "--create-home",
    "node",
  ]);
  // A fresh volume takes over owner and mode of the folder that it is mounted on.
  for (const path of ["home/node/.openclaw", "home/node/.openclaw/workspace", "home/node/.config", "home/node/.config/openclaw"]) {
    await mkdir(inRoot(path), { recursive: true });
    await chown(inRoot(path), NODE_USER, NODE_USER);
    await chmod(inRoot(path), 0o700);
  }
  await run("tidying the image", "rm", ["-rf", inRoot("var/cache/apt"), inRoot("var/lib/apt/lists"), inRoot("usr/share/doc")]);
  await writeFile(inRoot("etc/hostname"), "openclaw\n");
}
