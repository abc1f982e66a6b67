import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { attempt, run } from "../../../tools/command.ts";
import { killAllIn } from "./processes.ts";
import { namespaceOf, tagOf } from "./world.ts";

/** Who somebody outside may be: any client of the internet, or Cloudflare (an address out of its published ranges). */
export const OUTSIDE = {
  client: { ipv4: "192.0.2.10", ipv6: "2001:db8:fffe::10" },
  cloudflare: { ipv4: "173.245.48.10", ipv6: "2400:cb00::10" },
};
/** What a server at Hetzner calls its gateway. */
const GATEWAY = { ipv4: "172.31.1.1", ipv6: "fe80::1" };
/** This machine, as servers see it, and the router, as this machine sees it. */
const OPERATOR = { ipv4: "198.51.100.2", ipv6: "2001:db8:ffff::2" };
const ROUTER = { ipv4: "198.51.100.1", ipv6: "2001:db8:ffff::1" };
const METADATA = "169.254.169.254";
/** Where `ip` keeps them. */
const NAMESPACES = "/run/netns";

/** Router of a world, with this machine (the operator's) on one side and the outside on another. Does nothing where it is. */
export async function ensureNetwork(world: string): Promise<void> {
  const router = namespaceOf(world, "router");
  const whole = join(world, "network");
  if (existsSync(whole)) return;
  // Of one that was killed while it made the network.
  await removeNetwork(world);
  await addNamespace(router);
  await forward(router);
  await ip("-n", router, "address", "add", `${METADATA}/32`, "dev", "lo");
  await serveMetadata(world, router);

  const operator = `oc-${tagOf(world)}`;
  await ip("link", "add", operator, "type", "veth", "peer", "name", "operator", "netns", router);
  await ip("-n", router, "address", "add", ROUTER.ipv4, "peer", OPERATOR.ipv4, "dev", "operator");
  await ip("-n", router, "address", "add", ROUTER.ipv6, "peer", OPERATOR.ipv6, "dev", "operator", "nodad");
  await ip("-n", router, "link", "set", "operator", "up");
  await ip("address", "add", OPERATOR.ipv4, "peer", ROUTER.ipv4, "dev", operator);
  await ip("address", "add", OPERATOR.ipv6, "peer", ROUTER.ipv6, "dev", operator, "nodad");
  await ip("link", "set", operator, "up");

  const outside = namespaceOf(world, "outside");
  await addNamespace(outside);
  await connect(world, { namespace: outside, link: "outside", ...addresses(Object.values(OUTSIDE)) });
  await writeFile(whole, router);
}

/** Gives a server its end of a cable to the router, and this machine the way to it: to its addresses alone, whoever has their neighbours. */
export async function connectServer(world: string, name: string, { ipv4, ipv6 }: { ipv4: string | undefined; ipv6: string | undefined }): Promise<void> {
  const namespace = namespaceOf(world, `server-${name}`);
  await addNamespace(namespace);
  await connect(world, { namespace, link: linkOf(name), ...addresses([{ ipv4, ipv6 }]) });
  const operator = `oc-${tagOf(world)}`;
  if (ipv4 !== undefined) await ip("route", "replace", `${ipv4}/32`, "via", ROUTER.ipv4, "dev", operator, "onlink");
  if (ipv6 !== undefined) await ip("route", "replace", `${ipv6}/64`, "via", ROUTER.ipv6, "dev", operator, "onlink");
}

/** Takes cable and network away; what still runs there ends. The way to it stays: whoever asks for the address hears that nobody is there. */
export async function disconnectServer(world: string, name: string): Promise<void> {
  await attempt("ip", ["-n", namespaceOf(world, "router"), "link", "delete", linkOf(name)]);
  await removeNamespace(namespaceOf(world, `server-${name}`));
}

/** Takes away every network of a world, with all that runs there. */
export async function removeNetwork(world: string): Promise<void> {
  await attempt("ip", ["link", "delete", `oc-${tagOf(world)}`]);
  const all = existsSync(NAMESPACES) ? readdirSync(NAMESPACES) : [];
  for (const namespace of all.filter((name) => name.startsWith(namespaceOf(world, "")))) await removeNamespace(namespace);
}

/** Name of the cable to a server, at the router. */
export function linkOf(name: string): string {
  return `server-${tagOf(name)}`;
}

interface Cable {
  namespace: string;
  link: string;
  ipv4: string[];
  ipv6: string[];
}

async function connect(world: string, { namespace, link, ipv4, ipv6 }: Cable): Promise<void> {
  const router = namespaceOf(world, "router");
  await ip("link", "add", link, "netns", router, "type", "veth", "peer", "name", "eth0", "netns", namespace);
  await ip("-n", router, "address", "add", `${GATEWAY.ipv4}/32`, "dev", link);
  await ip("-n", router, "address", "add", `${GATEWAY.ipv6}/64`, "dev", link, "nodad");
  await ip("-n", router, "link", "set", link, "up");
  await ip("-n", namespace, "link", "set", "eth0", "up");
  for (const address of ipv4) {
    await ip("-n", namespace, "address", "add", `${address}/32`, "dev", "eth0");
    await ip("-n", router, "route", "add", `${address}/32`, "dev", link);
  }
  for (const address of ipv6) {
    await ip("-n", namespace, "address", "add", `${address}/64`, "dev", "eth0", "nodad");
    await ip("-n", router, "route", "add", `${address}/64`, "dev", link);
  }
  if (ipv4.length > 0) await ip("-n", namespace, "route", "add", "default", "via", GATEWAY.ipv4, "dev", "eth0", "onlink");
  if (ipv6.length > 0) await ip("-n", namespace, "route", "add", "default", "via", GATEWAY.ipv6, "dev", "eth0");
}

function addresses(all: readonly { ipv4: string | undefined; ipv6: string | undefined }[]): { ipv4: string[]; ipv6: string[] } {
  return { ipv4: all.flatMap(({ ipv4 }) => ipv4 ?? []), ipv6: all.flatMap(({ ipv6 }) => ipv6 ?? []) };
}

async function addNamespace(name: string): Promise<void> {
  await ip("netns", "add", name);
  await ip("-n", name, "link", "set", "lo", "up");
}

async function removeNamespace(name: string): Promise<void> {
  if (!existsSync(join(NAMESPACES, name))) return;
  await killAllIn(name);
  await ip("netns", "delete", name);
}

async function forward(namespace: string): Promise<void> {
  const settings = ["ipv4/ip_forward", "ipv4/conf/all/rp_filter", "ipv6/conf/all/forwarding"].map((key) => `/proc/sys/net/${key}`);
  await run("making a router", "nsenter", [`--net=/run/netns/${namespace}`, "sh", "-c", 'for key; do echo 1 >"$key" || exit 1; done', "sh", ...settings]);
}

/** Its process outlives this one, and ends with the namespace. */
async function serveMetadata(world: string, router: string): Promise<void> {
  const log = openSync(join(world, "metadata.log"), "a");
  const program = join(import.meta.dirname, "metadata-server.ts");
  const child = spawn("nsenter", [`--net=/run/netns/${router}`, process.execPath, program, world, METADATA], { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  child.unref();
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
}

async function ip(...args: string[]): Promise<void> {
  await run("a network for stand-in servers", "ip", args);
}
