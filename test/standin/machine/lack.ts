import { existsSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Commands that a stand-in server or its network is made of, and the Debian packages that have them. */
const NEEDED = {
  "docker.io": ["docker", "dockerd", "containerd", "runc"],
  "openssh-server": ["sshd"],
  "openssh-client": ["ssh", "ssh-keygen"],
  sudo: ["sudo"],
  iptables: ["iptables", "iptables-restore", "ip6tables", "ip6tables-restore"],
  iproute2: ["ip"],
  e2fsprogs: ["mkfs.ext4", "resize2fs", "e2fsck", "chattr"],
  mount: ["losetup", "mount"],
  passwd: ["useradd"],
  "util-linux": ["nsenter", "unshare", "pivot_root", "findmnt", "mountpoint"],
};

/** What this machine lacks for stand-in servers. */
export function findServerLack(): string | undefined {
  const purpose = "a stand-in server";
  if (process.platform !== "linux") return `${purpose} needs Linux`;
  if (process.getuid?.() !== 0) return `${purpose} needs root`;
  if (!existsSync("/proc/sys/net/ipv6")) return `${purpose} needs IPv6`;
  const missing = Object.entries(NEEDED).flatMap(([name, commands]) =>
    commands.filter((command) => !isInUsr(command)).map((command) => `${command} (${name})`),
  );
  return missing.length === 0 ? undefined : `${purpose} needs ${missing.join(", ")}`;
}

/** A server has this machine's /usr and none of its other folders. */
function isInUsr(command: string): boolean {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/bin"];
  return folders.some((folder) => existsSync(join(folder, command)) && realpathSync(join(folder, command)).startsWith("/usr/"));
}
