import type { Duplex } from "node:stream";

import { execa } from "execa";

import type { OUTSIDE } from "../standin/machine/network.ts";
import { namespaceOf } from "../standin/machine/world.ts";

/** Whose network something is done in, with this machine's programs: somebody outside, a server by its name, or the operator, who is the test itself. */
export type Place = keyof typeof OUTSIDE | "operator" | `server-${string}`;

/** How an address answers whoever tries to connect. The code of an error where it is neither of these. */
export type Knock = "open" | "refused" | "silent" | (string & {});

/** Milliseconds: on a machine of its own, whatever answers does so in one. */
const PATIENCE = 3000;

/** For `node -e`: knocks at all addresses that it is given, at once, and prints how each answers. They are written as in a URL: "[::1]:22". */
export const KNOCK = `
const { connect } = require("node:net");
const knock = (address) => new Promise((resolve) => {
  const [, host, port] = /^\\[?(.*?)\\]?:(\\d+)$/.exec(address);
  const socket = connect(Number(port), host);
  const end = (answer) => { socket.destroy(); resolve([address, answer]); };
  socket.on("connect", () => end("open")).on("error", ({ code }) => end({ ECONNREFUSED: "refused", ETIMEDOUT: "silent" }[code] ?? code));
  setTimeout(end, ${PATIENCE}, "silent");
});
Promise.all(process.argv.slice(1).map(knock)).then((all) => { console.log(JSON.stringify(Object.fromEntries(all))); process.exit(); });`;

/** For `node -e`: takes connections at all addresses that it is given, and says so once it does. */
const LISTEN = `
const { createServer } = require("node:net");
let left = process.argv.length - 1;
for (const address of process.argv.slice(1)) {
  const [, host, port] = /^\\[?(.*?)\\]?:(\\d+)$/.exec(address);
  createServer((socket) => socket.on("error", () => {}).end()).listen(Number(port), host, () => { left -= 1; if (left === 0) console.log("listening"); });
}`;

/** For `node -e`: joins its own ends with an address. */
const DIAL = `
const [host, port] = process.argv.slice(1);
process.stdin.pipe(require("node:net").connect(Number(port), host)).pipe(process.stdout);`;

/** Program and arguments of a command in a place's network. */
export function inNetwork(world: string, place: Place, [file = "", ...args]: readonly string[]): [string, string[]] {
  return place === "operator" ? [file, args] : ["nsenter", [`--net=/run/netns/${namespaceOf(world, place)}`, file, ...args]];
}

/** How these addresses answer from a place. */
export async function knockFrom(world: string, place: Place, addresses: readonly string[]): Promise<Record<string, Knock>> {
  const { stdout } = await execa(...inNetwork(world, place, [process.execPath, "-e", KNOCK, ...addresses]));
  return JSON.parse(stdout) as Record<string, Knock>;
}

/** Takes connections at addresses of a place, until it is told to stop or the place is gone. */
export async function listenAt(world: string, place: Place, addresses: readonly string[]): Promise<() => void> {
  const child = execa(...inNetwork(world, place, [process.execPath, "-e", LISTEN, ...addresses]), { reject: false });
  const listening = new Promise((resolve) => child.stdout.once("data", resolve));
  await Promise.race([listening, child.then(({ stderr }) => Promise.reject(new Error(`nobody listens at ${addresses.join(", ")}:\n${stderr}`)))]);
  return () => {
    child.kill();
  };
}

/** A connection that comes from a place. */
export function dialFrom(world: string, place: Place, host: string, port: number): Duplex {
  return execa(...inNetwork(world, place, [process.execPath, "-e", DIAL, host, `${port}`]), { buffer: false, encoding: "buffer", reject: false }).duplex();
}
