import { appendFile, chmod, copyFile, cp, glob, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { UserError } from "../lib/errors.ts";
import { fetchPackages, isDebianRoot } from "./apt.ts";
import { cached, inTemporaryDir } from "./cache.ts";
import { run } from "./command.ts";
import { go } from "./go.ts";
import { importImage, type ImageSource } from "./image.ts";
import { hashRecipe } from "./recipe.ts";
import { CADDY_VERSION } from "./versions.ts";

/** The Caddy image: the official one, or the Go module with busybox, laid out like it. */
export function caddyImage(): ImageSource {
  const built = `openclaw-tenants/caddy:${CADDY_VERSION}-built-${hashRecipe(["caddy-image.ts"])}`;
  return {
    part: "caddy",
    official: `caddy:${CADDY_VERSION}`,
    built,
    build: async (endpoint) => {
      const instead = `\`docker pull caddy:${CADDY_VERSION}\` where Docker Hub can be reached; \`docker save\` and \`docker load\` bring it here`;
      if (!isDebianRoot())
        throw new UserError("the Caddy image: Docker Hub cannot be reached, and building the image takes Debian or Ubuntu as root", { hint: instead });
      const caddyDir = await cached(`caddy-${CADDY_VERSION}`, async (dir) => {
        const module = `github.com/caddyserver/caddy/v2/cmd/caddy@v${CADDY_VERSION}`;
        const env = { GOBIN: dir, CGO_ENABLED: "0", GOFLAGS: undefined };
        await go("Caddy", ["install", "-ldflags", "-s -w", module], { env, instead });
        return true;
      });
      await inTemporaryDir("image-caddy", async (dir) => {
        const rootDir = join(dir, "root");
        await unpackBusybox(dir, rootDir);
        await copyFile(join(String(caddyDir), "caddy"), join(rootDir, "usr/bin/caddy"));
        await importImage(endpoint, rootDir, built, [
          `ENV CADDY_VERSION=v${CADDY_VERSION}`,
          "ENV PATH=/usr/bin:/bin",
          "ENV XDG_CONFIG_HOME=/config",
          "ENV XDG_DATA_HOME=/data",
          "WORKDIR /srv",
          'CMD ["caddy","run","--config","/etc/caddy/Caddyfile","--adapter","caddyfile"]',
        ]);
      });
    },
  };
}

/** A shell and its tools in one static program, the certificate authorities, and the folders of the official image. */
async function unpackBusybox(dir: string, rootDir: string): Promise<void> {
  const packagesDir = join(dir, "packages");
  await mkdir(packagesDir);
  await fetchPackages(["busybox-static", "ca-certificates"], packagesDir);
  for await (const file of glob("*.deb", { cwd: packagesDir })) {
    await run("unpacking a package", "dpkg-deb", ["--extract", join(packagesDir, file), join(dir, "unpacked")]);
  }
  for (const path of ["bin", "usr/bin", "etc/caddy", "etc/ssl/certs", "config/caddy", "data/caddy", "srv", "tmp", "root"]) {
    await mkdir(join(rootDir, path), { recursive: true });
  }
  await chmod(join(rootDir, "tmp"), 0o1777);
  const busybox = join(rootDir, "bin/busybox");
  await cp(join(dir, "unpacked/bin/busybox"), busybox);
  for (const applet of (await run("listing busybox", busybox, ["--list"])).trim().split("\n")) {
    if (applet !== "busybox") await symlink("busybox", join(rootDir, "bin", applet));
  }
  await writeFile(join(rootDir, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  await writeFile(join(rootDir, "etc/group"), "root:x:0:\n");
  for await (const file of glob("unpacked/usr/share/ca-certificates/mozilla/*.crt", { cwd: dir })) {
    await appendFile(join(rootDir, "etc/ssl/certs/ca-certificates.crt"), await readFile(join(dir, file)));
  }
}
