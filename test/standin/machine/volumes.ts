import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { attempt, run } from "../../../tools/command.ts";
import { isOn, runInside, waitUntil } from "./processes.ts";
import { serverDir, serversOf } from "./world.ts";

/** A gigabyte of a volume is this much here: a file system that grows is a real one all the same, and costs little. */
const MIB_PER_GB = 32;

/** A file that stands for a disk. `format` is one that this machine can make ("ext4"). */
export async function createVolume(world: string, id: string, sizeGb: number, format: string | undefined): Promise<void> {
  const file = fileOf(world, id);
  if (existsSync(file)) throw new Error(`volume ${id} is there already`);
  await mkdir(join(world, "volumes"), { recursive: true });
  await writeFile(file, "");
  await truncate(file, bytesOf(sizeGb));
  if (format === undefined) return;
  if (format !== "ext4") throw new Error(`the stand-in formats volumes as ext4; found ${format} for volume ${id}`);
  await run(`formatting volume ${id}`, "mkfs.ext4", ["-F", "-q", "-E", "lazy_itable_init=1,lazy_journal_init=1", file]);
}

/** Makes a volume larger; a server that has it sees a larger disk at once, and the old file system on it. */
export async function growVolume(world: string, id: string, sizeGb: number): Promise<void> {
  const file = fileOf(world, id);
  if ((await stat(file)).size > bytesOf(sizeGb)) throw new Error(`volume ${id} is larger than ${sizeGb} GB; a volume cannot shrink`);
  await truncate(file, bytesOf(sizeGb));
  for (const device of await devicesOf(file)) await run(`growing volume ${id}`, "losetup", ["--set-capacity", device]);
}

/** Removes a volume that no server has. */
export async function destroyVolume(world: string, id: string): Promise<void> {
  const holder = findHolder(world, id);
  if (holder !== undefined) throw new Error(`volume ${id} is attached to ${holder}; detach it first`);
  await rm(fileOf(world, id));
}

/** Plugs a volume in: `/dev/disk/by-id/scsi-0HC_Volume_<id>`, whether the server runs or not. */
export async function attachVolume(world: string, name: string, id: string): Promise<void> {
  const holder = findHolder(world, id);
  if (holder !== undefined) throw new Error(`volume ${id} is attached to ${holder}; detach it first`);
  const file = fileOf(world, id);
  if (!existsSync(file)) throw new Error(`there is no volume ${id}`);
  if (!existsSync(serverDir(world, name))) throw new Error(`there is no server ${name}`);
  // Two may never have one file system, and a server that is gone takes a moment to let go of its own.
  await waitUntil(async () => {
    const devices = await devicesOf(file);
    for (const device of devices) await attempt("losetup", ["--detach", device]);
    return devices.length === 0;
  }, `a server that volume ${id} was taken from still has it mounted`);
  const device = (await run(`attaching volume ${id}`, "losetup", ["--find", "--show", file])).trim();
  const minor = device.slice("/dev/loop".length);
  await writeFile(attachment(world, name, id), `${minor}\n`);
  if (!isOn(world, name)) return;
  await inside(world, name, 'mknod -m 660 "/dev/loop$1" b 7 "$1" && ln -s "../../loop$1" "/dev/disk/by-id/scsi-0HC_Volume_$2"', minor, id);
}

/** Unplugs a volume. A server that runs loses its mounts, but containers that use them keep theirs until they end. */
export async function detachVolume(world: string, name: string, id: string): Promise<void> {
  const file = attachment(world, name, id);
  const minor = (await readFile(file, "utf8")).trim();
  if (isOn(world, name)) {
    const unmount = 'findmnt --noheadings --raw --output TARGET --source "/dev/loop$1" | while read -r point; do umount --lazy "$point"; done';
    await inside(world, name, `${unmount}; rm -f "/dev/loop$1" "/dev/disk/by-id/scsi-0HC_Volume_$2"`, minor, id);
  }
  await rm(file);
  // Where it is still in use, the kernel does it after the last use.
  await attempt("losetup", ["--detach", `/dev/loop${minor}`]);
}

/** Unplugs all that a server has which is off. */
export async function freeDevicesOf(world: string, name: string): Promise<void> {
  const dir = join(serverDir(world, name), "volumes");
  for (const id of existsSync(dir) ? readdirSync(dir) : []) await detachVolume(world, name, id);
}

/** Frees the loop devices of a world that no server runs in. */
export async function freeDevices(world: string): Promise<void> {
  const listed = await run("listing loop devices", "losetup", ["--list", "--noheadings", "--raw", "--output", "NAME,BACK-FILE"]);
  for (const line of listed.split("\n")) {
    const [device = "", file = ""] = line.split(" ");
    if (file.startsWith(`${world}/`)) await attempt("losetup", ["--detach", device]);
  }
}

async function inside(world: string, name: string, script: string, ...args: string[]): Promise<void> {
  const { isFine, complaint } = await runInside(world, name, ["sh", "-euc", script, "sh", ...args]);
  if (!isFine) throw new Error(`a volume of server ${name}: ${complaint}`);
}

/** The server that a volume is attached to. */
function findHolder(world: string, id: string): string | undefined {
  return serversOf(world).find((name) => existsSync(attachment(world, name, id)));
}

async function devicesOf(file: string): Promise<string[]> {
  const { stdout } = await attempt("losetup", ["--noheadings", "--output", "NAME", "--associated", file]);
  return stdout.split("\n").filter(Boolean);
}

/** Says which loop device a server has a volume on. */
function attachment(world: string, name: string, id: string): string {
  return join(serverDir(world, name), "volumes", id);
}

function fileOf(world: string, id: string): string {
  return join(world, "volumes", `${id}.img`);
}

function bytesOf(sizeGb: number): number {
  return sizeGb * MIB_PER_GB * 2 ** 20;
}
