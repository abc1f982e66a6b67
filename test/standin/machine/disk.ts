import { readFileSync } from "node:fs";
import { chmod, copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { run } from "../../../tools/command.ts";
import type { Boot } from "./cloud-init.ts";
import { serverDir } from "./world.ts";

/** Commands of a server that stand for systemd's and cloud-init's, by their place. */
const STAND_INS = { "lib/standin/init": "init.sh", "bin/systemctl": "systemctl.sh", "bin/cloud-init": "cloud-init.sh" };
/** Growing a mounted ext4 asks for it, and the root of a container may not have it. */
const CAP_SYS_RESOURCE = 1n << 24n;
const FOLDERS = ["dev", "home", "media", "mnt", "opt", "proc", "run", "srv", "sys", "tmp", "usr", "var/cache", "var/lib", "var/log", "var/spool"];
const LINKS = { bin: "usr/bin", sbin: "usr/sbin", lib: "usr/lib", lib64: "usr/lib64", "var/run": "/run", "var/lock": "/run/lock" };
/** What makes this machine itself, under /etc: a fresh server has none of it. */
const PERSONAL = ["cron.d", "docker", "environment", "fstab", "hostname", "hosts", "resolv.conf", "ssh", "sudoers", "sudoers.d", "sysctl.d", "systemd/system"];
/** As Debian ships it. */
const SSHD_CONFIG = "/usr/share/openssh/sshd_config";
const SUDOERS = [
  "Defaults env_reset",
  'Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"',
  "root ALL=(ALL:ALL) ALL",
  "@includedir /etc/sudoers.d",
];
/** Hetzner's, which nobody answers for here: a lookup fails at once. */
const RESOLVER = "nameserver 185.12.64.1";

/** Makes a fresh server's disk: this machine's programs come in when it boots, of /etc it has a copy, and all else is empty. */
export async function makeDisk(world: string, name: string, { packages, boot }: { packages: readonly string[]; boot: Boot }): Promise<void> {
  const dir = serverDir(world, name);
  const disk = join(dir, "disk");
  for (const folder of FOLDERS) await mkdir(join(disk, folder), { recursive: true });
  await mkdir(join(disk, "root"), { mode: 0o700 });
  await mkdir(join(disk, "var/tmp"));
  await chmod(join(disk, "var/tmp"), 0o1777);
  for (const [path, target] of Object.entries(LINKS)) await symlink(target, join(disk, path));
  await makeEtc(join(disk, "etc"), name);

  for (const folder of ["usr/changes", "usr/work", "volumes"]) await mkdir(join(dir, folder), { recursive: true });
  for (const [path, file] of Object.entries(STAND_INS))
    await place(join(dir, "usr/changes", path), await readFile(join(import.meta.dirname, file), "utf8"), 0o755);

  if (!mayGrowMounted()) {
    await copyFile("/usr/sbin/resize2fs", join(dir, "usr/changes/lib/standin/resize2fs"));
    await place(join(dir, "usr/changes/sbin/resize2fs"), await readFile(join(import.meta.dirname, "resize2fs.sh"), "utf8"), 0o755);
  }

  await place(join(disk, "var/lib/cloud/instance/packages"), packages.map((name) => `${name}\n`).join(""), 0o644);
  for (const [stage, steps] of Object.entries<Boot["init"]>({ ...boot })) {
    // They hold the host's own key.
    for (const [index, { module, script }] of steps.entries())
      await place(join(disk, "var/lib/cloud/instance", stage, `${index}-${module}`), `${script}\n`, 0o700);
  }
}

async function makeEtc(etc: string, name: string): Promise<void> {
  await run("copying /etc", "cp", ["--archive", "/etc", etc]);
  for (const path of PERSONAL) await rm(join(etc, path), { recursive: true, force: true });
  for (const folder of ["ssh/sshd_config.d", "sudoers.d", "sysctl.d", "systemd/system"]) await mkdir(join(etc, folder), { recursive: true });
  await copyFile(SSHD_CONFIG, join(etc, "ssh/sshd_config"));
  await place(join(etc, "sudoers"), `${SUDOERS.join("\n")}\n`, 0o440);
  const files = { environment: "", fstab: "", hostname: `${name}\n`, hosts: "127.0.0.1 localhost\n::1 localhost\n", "resolv.conf": `${RESOLVER}\n` };
  for (const [path, content] of Object.entries(files)) await place(join(etc, path), content, 0o644);

  for (const file of ["passwd", "group"]) await place(join(etc, file), keepSystem(await readFile(join(etc, file), "utf8"), file), 0o644);
  const users = new Set((await readFile(join(etc, "passwd"), "utf8")).split("\n").map((line) => line.split(":")[0]));
  const shadow = (await readFile(join(etc, "shadow"), "utf8")).split("\n").filter((line) => users.has(line.split(":")[0]));
  // No password works on a fresh server, whoever's it was.
  await place(join(etc, "shadow"), shadow.map((line) => line.replace(/^([^:]+):[^:]*:/, "$1:*:")).join("\n"), 0o640);
  for (const file of ["passwd-", "group-", "shadow-", "gshadow", "gshadow-", "subuid", "subgid"]) await rm(join(etc, file), { force: true });
}

/** Accounts that packages made, without the people of this machine. */
function keepSystem(table: string, file: string): string {
  const lines = table.split("\n").filter((line) => {
    const id = Number(line.split(":")[2]);
    return line === "" || id < 1000 || id > 60_000;
  });
  return (file === "group" ? lines.map((line) => line.replace(/[^:]*$/, "")) : lines).join("\n");
}

function mayGrowMounted(): boolean {
  const effective = /^CapEff:\s*(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return (BigInt(`0x${effective}`) & CAP_SYS_RESOURCE) !== 0n;
}

async function place(path: string, content: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  await chmod(path, mode);
}
