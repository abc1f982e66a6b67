import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { attempt, run } from "../../../tools/command.ts";
import { namespaceOf, tagOf } from "./world.ts";

/** Who asks from outside, each in a namespace of its own: any client of the internet, or Cloudflare (addresses out of its published ranges). */
export const OUTSIDE = {
  client: { ipv4: "192.0.2.10", ipv6: "2001:db8:fffe::10" },
  cloudflare: { ipv4: "173.245.48.10", ipv6: "2400:cb00::10" },
};
/** What a server at Hetzner calls its gateway. */
const GATEWAY = { ipv4: "172.31.1.1", ipv6: "fe80::1" };
/** This machine, as servers see it, and the router, as this machine sees it. */
const OPERATOR = { ipv4: "198.51.100.2", ipv6: "2001:db8:ffff::2" };
const ROUTER = { ipv4: "198.51.100.1", ipv6: "2001:db8:ffff::1" };
const VERSIONS = ["ipv4", "ipv6"] as const;
/** How much of the address says whose it is: a server has one IPv4 address and a network of IPv6 ones. */
const OWN = { ipv4: 32, ipv6: 64 };
const METADATA = "169.254.169.254";
/** Where `ip` keeps them. */
const NAMESPACES = "/run/netns";

/** Router of a world, with this machine (the operator's) on one side and the outside on another. Does nothing where it is. */
export async function ensureNetwork(world: string): Promise<void> {
  const router = namespaceOf(world, "router");
  const whole = join(world, "network");
  if (existsSync(whole) && existsSync(join(NAMESPACES, router))) return;
  // Of one that was killed while it made the network.
  await removeNetwork(world);
  await addNamespace(router);
  await forward(router);
  await ip("-n", router, "address", "add", `${METADATA}/32`, "dev", "lo");
  await serveMetadata(world, router);

  const operator = `oc-${tagOf(world)}`;
  await ip("link", "add", operator, "type", "veth", "peer", "name", "operator", "netns", router);
  await ip("-n", router, "address", "add", ROUTER.ipv4, "peer", OPERATOR.ipv4, "dev", "operator");
  await ip("-n", router, "address", "add", `${ROUTER.ipv6}/126`, "dev", "operator", "nodad");
  await ip("-n", router, "link", "set", "operator", "up");
  await ip("address", "add", OPERATOR.ipv4, "peer", ROUTER.ipv4, "dev", operator);
  await ip("address", "add", `${OPERATOR.ipv6}/126`, "dev", operator, "nodad");
  await ip("link", "set", operator, "up");

  for (const [who, addresses] of Object.entries(OUTSIDE)) {
    await addNamespace(namespaceOf(world, who));
    await connect(world, { namespace: namespaceOf(world, who), link: who, ...addresses });
  }
  await writeFile(whole, router);
}

/** Gives a server its end of a cable to the router, and this machine the way to it: to its addresses alone, whoever has their neighbours. */
export async function connectServer(world: string, name: string, addresses: Addresses): Promise<void> {
  const namespace = namespaceOf(world, `server-${name}`);
  await addNamespace(namespace);
  await connect(world, { namespace, link: linkOf(name), ...addresses });
  const operator = `oc-${tagOf(world)}`;
  for (const version of VERSIONS) {
    if (addresses[version] !== undefined)
      await ip("route", "replace", `${addresses[version]}/${OWN[version]}`, "via", ROUTER[version], "dev", operator, "onlink");
  }
}

/** Takes cable and network away from a server that is off. The way to it stays: whoever asks for the address hears that nobody is there. */
export async function disconnectServer(world: string, name: string): Promise<void> {
  await attempt("ip", ["-n", namespaceOf(world, "router"), "link", "delete", linkOf(name)]);
  await removeNamespace(namespaceOf(world, `server-${name}`));
}

/** Takes away every network of a world that nothing runs in. */
export async function removeNetwork(world: string): Promise<void> {
  await attempt("ip", ["link", "delete", `oc-${tagOf(world)}`]);
  const all = existsSync(NAMESPACES) ? readdirSync(NAMESPACES) : [];
  for (const namespace of all.filter((name) => name.startsWith(namespaceOf(world, "")))) await removeNamespace(namespace);
}

/** Name of the cable to a server, at the router. */
export function linkOf(name: string): string {
  return `server-${tagOf(name)}`;
}

interface Addresses {
  ipv4: string | undefined;
  ipv6: string | undefined;
}

interface Cable extends Addresses {
  namespace: string;
  /** Its name at the router. */
  link: string;
}

async function connect(world: string, { namespace, link, ...addresses }: Cable): Promise<void> {
  const router = namespaceOf(world, "router");
  await ip("link", "add", link, "netns", router, "type", "veth", "peer", "name", "eth0", "netns", namespace);
  await ip("-n", router, "link", "set", link, "up");
  await ip("-n", namespace, "link", "set", "eth0", "up");
  await ip("-n", router, "address", "add", `${GATEWAY.ipv4}/32`, "dev", link);
  await ip("-n", router, "address", "add", `${GATEWAY.ipv6}/64`, "dev", link, "nodad");
  for (const version of VERSIONS) {
    const address = addresses[version];
    if (address === undefined) continue;
    await ip("-n", namespace, "address", "add", `${address}/${OWN[version]}`, "dev", "eth0", ...(version === "ipv6" ? ["nodad"] : []));
    await ip("-n", namespace, "route", "add", "default", "via", GATEWAY[version], "dev", "eth0", "onlink");
    await ip("-n", router, "route", "add", `${address}/${OWN[version]}`, "dev", link);
  }
}

async function addNamespace(name: string): Promise<void> {
  await ip("netns", "add", name);
  await ip("-n", name, "link", "set", "lo", "up");
}

async function removeNamespace(name: string): Promise<void> {
  if (existsSync(join(NAMESPACES, name))) await ip("netns", "delete", name);
}

async function forward(namespace: string): Promise<void> {
  const settings = ["ipv4/ip_forward", "ipv4/conf/all/rp_filter", "ipv6/conf/all/forwarding"].map((key) => `/proc/sys/net/${key}`);
  await run("making a router", "nsenter", [
    `--net=${join(NAMESPACES, namespace)}`,
    "sh",
    "-c",
    'for key; do echo 1 >"$key" || exit 1; done',
    "sh",
    ...settings,
  ]);
}

/** Its process outlives this one, and ends with the world. */
async function serveMetadata(world: string, router: string): Promise<void> {
  const log = openSync(join(world, "metadata.log"), "a");
  const program = join(import.meta.dirname, "metadata-server.ts");
  const { PATH = "", HOME = "" } = process.env;
  const command = [`--net=${join(NAMESPACES, router)}`, process.execPath, program, world, METADATA];
  const child = spawn("nsenter", command, { detached: true, stdio: ["ignore", log, log], env: { PATH, HOME } });
  closeSync(log);
  child.unref();
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
}

async function ip(...args: string[]): Promise<void> {
  await run("a network for stand-in servers", "ip", args);
}
