import { readFileSync } from "node:fs";
import { join } from "node:path";

import { serverDir } from "./world.ts";

/** A server as Hetzner is asked for one. */
export interface MachineSpec {
  /** Folder of the world that it is part of. */
  world: string;
  /** Its name there, and its host name unless the user data has another. */
  name: string;
  /** Public addresses: the first one of its /64, for version 6. */
  ipv4: string | undefined;
  ipv6: string | undefined;
  /** A cloud-config. */
  userData: string;
  /** Rules of the firewall that it is created with; none lets nothing in. */
  firewall: FirewallRule[];
}

/** A rule as Hetzner's firewall has it. */
export interface FirewallRule {
  direction: "in" | "out";
  protocol: "tcp" | "udp" | "icmp";
  /** "443", "80-85" or "any". */
  port?: string;
  sourceIps: string[];
}

/** What a server was made from, with the firewall that it has now. */
export function readSpec(world: string, name: string): MachineSpec {
  return JSON.parse(readFileSync(specFile(world, name), "utf8")) as MachineSpec;
}

/** Where it is kept. */
export function specFile(world: string, name: string): string {
  return join(serverDir(world, name), "spec.json");
}
