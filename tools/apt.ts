import { readFileSync } from "node:fs";

import { UserError } from "../lib/errors.ts";
import { attempt, run } from "./command.ts";
import { say, timed } from "./progress.ts";
import { ask } from "./terminal.ts";

/** Whether set-up may install packages on this machine: Debian or Ubuntu, as root. */
export function isDebianRoot(): boolean {
  return process.platform === "linux" && process.getuid?.() === 0 && ["debian", "ubuntu"].includes(readOsRelease()["ID"] ?? "");
}

/** The fields of /etc/os-release. */
export function readOsRelease(): Record<string, string> {
  const fields = readFileSync("/etc/os-release", "utf8").matchAll(/^(\w+)="?([^"\n]*)"?$/gm);
  return Object.fromEntries([...fields].map(([, name = "", value = ""]) => [name, value]));
}

/** Installs packages: asked on a terminal, announced without one, refused where the operator said so. */
export async function install(part: string, packages: readonly string[], { mayInstall }: { mayInstall: boolean }): Promise<void> {
  const command = `apt-get install --no-install-recommends ${packages.join(" ")}`;
  if (!mayInstall) throw new UserError(`${part} is missing and --no-install forbids to install it`, { hint: command });
  const answer = await ask(`${part} is missing. Install it with \`${command}\`? [Y/n] `);
  if (!/^(y(es)?)?$/i.test(answer ?? "")) throw new UserError(`${part} is missing and was not to be installed`, { hint: command });
  await timed(part.toLowerCase(), `installing: ${command}`, async () => {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const args = ["install", "-y", "--no-install-recommends", ...packages];
    await run("apt-get update", "apt-get", ["update"], { env });
    await run(`installing ${part}`, "apt-get", args, { env });
  });
}

/** Fetches packages as files into `dir` without installing them, after a look at the archive when the lists are old. */
export async function fetchPackages(packages: readonly string[], dir: string): Promise<void> {
  if ((await attempt("apt-get", ["download", ...packages], { cwd: dir })).isFine) return;
  say("apt", "reading the package lists");
  await run("apt-get update", "apt-get", ["update"]);
  await run(`fetching ${packages.join(" and ")}`, "apt-get", ["download", ...packages], { cwd: dir });
}
