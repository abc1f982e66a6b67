import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { locked } from "../../tools/cache.ts";
import { attempt, run } from "../../tools/command.ts";
import { readCloudConfig } from "./machine/cloud-config.ts";
import { renderBoot } from "./machine/cloud-init.ts";
import { makeDisk } from "./machine/disk.ts";
import { applyFirewall, removeFirewall, renderFirewall } from "./machine/firewall.ts";
import { copyImages, preloadImages } from "./machine/images.ts";
import { connectServer, disconnectServer, ensureNetwork, removeNetwork } from "./machine/network.ts";
import { killWorld, powerOff, powerOn, removeCgroups } from "./machine/processes.ts";
import { type FirewallRule, type MachineSpec, readSpec, specFile } from "./machine/spec.ts";
import { freeDevices, freeDevicesOf } from "./machine/volumes.ts";
import { cgroupOf, claimRoutes, createWorldFolder, findDeadWorlds, releaseRoutes, serverDir } from "./machine/world.ts";

export type { FirewallRule, MachineSpec };
export { attachVolume, createVolume, destroyVolume, detachVolume, growVolume } from "./machine/volumes.ts";
export { preloadImages as preload };

/** A folder for a new world, whose end is this process's: the next one that is made clears away what a killed run has left. */
export async function createWorld(): Promise<string> {
  for (const world of findDeadWorlds()) await destroyWorld(world);
  return await createWorldFolder();
}

/**
 * Makes a server by its user data and turns it on: first boot. Returns while it boots. What has begun is carried through by a process of its own, as
 * in a cloud: whoever asked for it may be killed meanwhile.
 */
export async function createMachine(spec: MachineSpec): Promise<void> {
  const { world, name, userData, firewall } = spec;
  const dir = serverDir(world, name);
  if (existsSync(dir)) throw new Error(`server ${name} is there already`);
  // Mistakes are told before anything is made.
  readCloudConfig(userData);
  for (const family of ["ipv4", "ipv6"] as const) renderFirewall(name, firewall, family);
  await mkdir(dir, { recursive: true });
  await writeFile(specFile(world, name), JSON.stringify(spec), { mode: 0o600 });
  const log = await open(join(dir, "build.log"), "w");
  // The mark of a server's processes is among its arguments too, so that it ends with the server.
  const command = [join(import.meta.dirname, "machine/build.ts"), world, name, cgroupOf(world, name)];
  const child = spawn(process.execPath, command, { detached: true, stdio: ["ignore", log.fd, log.fd] });
  const [code] = (await once(child, "exit")) as [number | null];
  await log.close();
  if (code === 0) return;
  const words = readFileSync(join(dir, "build.log"), "utf8").trim();
  await destroyMachine(world, name);
  throw new Error(`server ${name} could not be made:\n${words}`);
}

/** The process that {@link createMachine} starts. */
export async function buildMachine(world: string, name: string): Promise<void> {
  const spec = readSpec(world, name);
  const config = readCloudConfig(spec.userData);
  await makeDisk(world, name, { packages: config.packages, boot: renderBoot(config, name) });
  await copyImages(world, join(serverDir(world, name), "disk/var/lib/docker"));
  await onNetwork(async () => {
    await claimNetwork(world);
    await applyFirewall(world, name, spec.firewall);
  });
  await turnOn(spec);
}

/** Removes a server and its disk. Volumes stay, unplugged. */
export async function destroyMachine(world: string, name: string): Promise<void> {
  await powerOff(world, name);
  await onNetwork(async () => {
    await removeFirewall(world, name);
    await disconnectServer(world, name);
  });
  await freeDevicesOf(world, name);
  await removeCgroups(world, name);
  await removeTree(serverDir(world, name));
}

/** A power cut, and on again: everything ends at once, and the server boots from its disk. */
export async function powerCycle(world: string, name: string): Promise<void> {
  await powerOff(world, name);
  // Network settings and rules are gone with the power.
  await onNetwork(() => disconnectServer(world, name));
  await turnOn(readSpec(world, name));
}

/** Gives a server other rules, at once. */
export async function setFirewall(world: string, name: string, rules: FirewallRule[]): Promise<void> {
  await onNetwork(() => applyFirewall(world, name, rules));
  await writeFile(specFile(world, name), JSON.stringify({ ...readSpec(world, name), firewall: rules }));
}

/** Removes everything of a world, whatever state a killed run has left it in. Harmless where nothing is left. */
export async function destroyWorld(world: string): Promise<void> {
  await killWorld(world);
  await removeNetwork(world);
  await releaseRoutes(world);
  await removeCgroups(world);
  await freeDevices(world);
  await removeTree(world);
}

async function turnOn({ world, name, ipv4, ipv6 }: MachineSpec): Promise<void> {
  await onNetwork(() => connectServer(world, name, { ipv4, ipv6 }));
  await powerOn(world, name);
}

/** Makes the world's router, if it is not there, in the place of that of a run that was killed. */
async function claimNetwork(world: string): Promise<void> {
  for (let dead = await claimRoutes(world); dead !== undefined; dead = await claimRoutes(world)) await destroyWorld(dead);
  await ensureNetwork(world);
}

/** Operations run at once, in one process or in several, and share one router. */
async function onNetwork<T>(change: () => Promise<T>): Promise<T> {
  return await locked("stand-in-network", change);
}

/** A disk with images is fifty thousand files, which Node takes four times as long for. */
async function removeTree(dir: string): Promise<void> {
  // User data may have made folders of a disk immutable.
  const disks = ["-path", "*/var/lib/docker", "-prune", "-o", "-type", "d", "-exec", "chattr", "-f", "-i", "{}", "+"];
  if (existsSync(dir)) await attempt("find", [dir, "-xdev", ...disks]);
  await run(`removing ${dir}`, "rm", ["--recursive", "--force", "--one-file-system", dir]);
}
