import { existsSync } from "node:fs";

import { install, isDebianRoot } from "./apt.ts";
import { setUpCloudInit } from "./cloud-init.ts";
import { say } from "./progress.ts";

/** What the servers that tests log in to are made of, by the program that is looked for. */
const PACKAGES: Readonly<Record<string, string>> = {
  "/usr/sbin/sshd": "openssh-server",
  "/usr/bin/ssh": "openssh-client",
  "/usr/bin/sudo": "sudo",
  "/usr/sbin/ip": "iproute2",
  "/usr/sbin/iptables": "iptables",
  "/usr/sbin/resize2fs": "e2fsprogs",
  "/usr/bin/curl": "curl",
};

/** Brings what tests need beside the program itself, where it may be installed unasked for; elsewhere they name what they lack. */
export async function setUpTests(projectDir: string, options: { mayInstall: boolean }): Promise<void> {
  if (!isDebianRoot()) return;
  const missing = Object.entries(PACKAGES).flatMap(([program, name]) => (existsSync(program) ? [] : [name]));
  // There it would serve this machine from now on.
  if (missing.includes("openssh-server") && existsSync("/run/systemd/system"))
    say("tests", "those of servers need sshd; `apt-get install openssh-server` brings it, and its service with it");
  else if (missing.length > 0) await install("What simulated servers are made of", missing, options);
  await setUpCloudInit(projectDir, options);
}
