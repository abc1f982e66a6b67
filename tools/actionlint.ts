import { rm, symlink } from "node:fs/promises";
import { join } from "node:path";

import { cached } from "./cache.ts";
import { run } from "./command.ts";
import { download } from "./download.ts";
import { go } from "./go.ts";
import { timed } from "./progress.ts";
import { ACTIONLINT_VERSION } from "./versions.ts";

/** The linter of GitHub's workflows, for tests, as `.local/bin/actionlint`: the official release, or built from its Go module. */
export async function setUpActionlint(projectDir: string): Promise<void> {
  const dir = await cached(`actionlint-${ACTIONLINT_VERSION}`, async (temporary) => {
    await timed("tests", `bringing actionlint ${ACTIONLINT_VERSION}`, async () => {
      if (!(await fetchOfficial(temporary))) await build(temporary);
    });
    return true;
  });
  const program = join(projectDir, ".local/bin/actionlint");
  await rm(program, { force: true });
  await symlink(join(String(dir), "actionlint"), program);
}

async function fetchOfficial(dir: string): Promise<boolean> {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const release = `https://github.com/rhysd/actionlint/releases/download/v${ACTIONLINT_VERSION}`;
  const archive = join(dir, "actionlint.tar.gz");
  if (!(await download(`${release}/actionlint_${ACTIONLINT_VERSION}_${process.platform}_${arch}.tar.gz`, archive))) return false;
  await run("unpacking actionlint", "tar", ["-xzf", archive, "-C", dir, "actionlint"]);
  await rm(archive);
  return true;
}

async function build(dir: string): Promise<void> {
  const env = { GOBIN: dir, CGO_ENABLED: "0", GOFLAGS: undefined };
  const instead = "install Go 1.25 or later; or leave it, and `npm test` runs everything but the tests of the workflows' syntax";
  await go("actionlint", ["install", "-ldflags", "-s -w", `github.com/rhysd/actionlint/cmd/actionlint@v${ACTIONLINT_VERSION}`], { env, instead });
}
