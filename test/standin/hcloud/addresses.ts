import { isIP } from "node:net";

import { count, type Records } from "../world.ts";

/** A range of addresses, or a single one. */
export interface Range {
  family: "ipv4" | "ipv6";
  /** The address as a number. */
  start: bigint;
  prefix: number;
  /** Bits of an address. */
  bits: 32 | 128;
}

/** The next IPv4 address of the world, from the range for documentation (RFC 5737). */
export function nextIpv4(records: Records): string {
  const last = count(records, "ipv4");
  if (last > 254) throw new Error("203.0.113.0/24 is used up: this world has given out 254 IPv4 addresses, and none is given out twice");
  return `203.0.113.${last}`;
}

/** The next IPv6 network of the world, from the range for documentation (RFC 3849). */
export function nextIpv6(records: Records): string {
  return `2001:db8:${count(records, "ipv6").toString(16)}::`;
}

/** Reads a range, or a single address. Absent: it is neither. */
export function findRange(text: string): Range | undefined {
  const [address = "", length] = text.split("/", 2);
  const version = isIP(address);
  if (version === 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > bits) return undefined;
  return { family: version === 4 ? "ipv4" : "ipv6", start: version === 4 ? readIpv4(address) : readIpv6(address), prefix, bits };
}

/** Whether the address is the first of its range. */
export function isStart({ start, prefix, bits }: Range): boolean {
  return BigInt.asUintN(bits - prefix, start) === 0n;
}

export function contains(outer: Range, inner: Range): boolean {
  const host = BigInt(outer.bits - outer.prefix);
  return outer.family === inner.family && inner.prefix >= outer.prefix && outer.start >> host === inner.start >> host;
}

/** The IPv4 address that many after the start of a range. */
export function addressAt({ start }: Range, offset: number): string {
  const number = start + BigInt(offset);
  return [24n, 16n, 8n, 0n].map((shift) => String((number >> shift) & 255n)).join(".");
}

function readIpv4(address: string): bigint {
  return address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function readIpv6(address: string): bigint {
  // A URL knows every way to write an address, and writes it one way.
  const [front = "", back] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::", 2);
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [first, last] = [groups(front), groups(back ?? "")];
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => "0"), ...last];
  return all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}
