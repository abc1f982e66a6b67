import { chmod, glob, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { fetchPackages, install } from "./apt.ts";
import { cached } from "./cache.ts";
import { attempt, run } from "./command.ts";

/** The first release whose check of user data refuses keys that it does not know. */
const OLDEST = 23.4;

/** What that check imports. */
const PYTHON = ["configobj", "jinja2", "jsonpatch", "jsonschema", "oauthlib", "requests", "yaml"];

/** Debian's first release that has it. */
const RELEASE = "trixie";

/**
 * cloud-init's check of user data, for tests, as `.local/bin/cloud-init`. Unpacked and not installed: an installed one would set this machine up anew
 * at its next boot.
 */
export async function setUpCloudInit(projectDir: string, options: { mayInstall: boolean }): Promise<void> {
  const dir = await cached("cloud-init", async (temporary) => {
    await fetchCloudInit(temporary);
    for await (const file of glob("*.deb", { cwd: temporary })) await run("unpacking cloud-init", "dpkg-deb", ["--extract", join(temporary, file), temporary]);
    return true;
  });
  const modules = join(String(dir), "usr/lib/python3/dist-packages");
  const python = ["-c", `import ${PYTHON.join(", ")}`];
  if (!(await attempt("/usr/bin/python3", python)).isFine) {
    await install("What cloud-init imports", ["python3", ...PYTHON.map((name) => `python3-${name}`)], options);
  }
  const program = join(projectDir, ".local/bin/cloud-init");
  await writeFile(program, `#!/bin/sh\nPYTHONPATH='${modules}' exec /usr/bin/python3 -m cloudinit.cmd.main "$@"\n`);
  await chmod(program, 0o755);
}

/** The distribution's own where it is new enough, else a newer Debian's, by lists of its own: this machine's sources stay as they are. */
async function fetchCloudInit(dir: string): Promise<void> {
  const { stdout: own } = await attempt("apt-cache", ["show", "--no-all-versions", "cloud-init"]);
  if (Number(/^Version: (\d+\.\d+)/m.exec(own)?.[1] ?? 0) >= OLDEST) {
    await fetchPackages(["cloud-init"], dir);
    return;
  }
  const { stdout: uris } = await attempt("apt-get", ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]);
  await mkdir(join(dir, "lists/partial"), { recursive: true });
  await writeFile(join(dir, "sources"), `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${uris.split("\n")[0] ?? ""} ${RELEASE} main\n`);
  const places = {
    "Dir::Etc::SourceList": join(dir, "sources"),
    "Dir::Etc::SourceParts": "-",
    "Dir::State::Lists": join(dir, "lists"),
    "Dir::Cache": join(dir, "cache"),
  };
  const flags = Object.entries(places).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await run("reading a newer Debian's lists", "apt-get", [...flags, "update"]);
  await run("fetching cloud-init", "apt-get", [...flags, "download", "cloud-init"], { cwd: dir });
}
