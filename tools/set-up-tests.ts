import { existsSync } from "node:fs";

import { setUpActionlint } from "./actionlint.ts";
import { install, isDebianRoot } from "./apt.ts";
import { setUpCloudInit } from "./cloud-init.ts";
import { say } from "./progress.ts";

/** What simulated servers are made of, and what the workflows' own steps call, by the program that is looked for. */
const PACKAGES: Readonly<Record<string, string>> = {
  "/usr/sbin/sshd": "openssh-server",
  "/usr/bin/ssh": "openssh-client",
  "/usr/bin/sudo": "sudo",
  "/usr/sbin/ip": "iproute2",
  "/usr/sbin/iptables": "iptables",
  "/usr/sbin/resize2fs": "e2fsprogs",
  "/usr/bin/curl": "curl",
  "/usr/bin/gh": "gh",
  "/usr/bin/jq": "jq",
};

/** Brings what tests need beside the program itself, where it may be installed unasked for; elsewhere they name what they lack. */
export async function setUpTests(projectDir: string, options: { mayInstall: boolean }): Promise<void> {
  if (!isDebianRoot()) return;
  const missing = Object.entries(PACKAGES).flatMap(([program, name]) => (existsSync(program) ? [] : [name]));
  // There it would serve this machine from now on.
  const servesForGood = (name: string): boolean => name === "openssh-server" && existsSync("/run/systemd/system");
  if (missing.some(servesForGood)) say("tests", "those of servers need sshd; `apt-get install openssh-server` brings it, and its service with it");
  const wanted = missing.filter((name) => !servesForGood(name));
  if (wanted.length > 0) await install("What tests of servers and workflows need", wanted, options);
  await setUpCloudInit(projectDir, options);
  await setUpActionlint(projectDir);
}
