import { FIRST_PORT } from "../tenants/schema.ts";

/** A range of IPv4 addresses, `10.214.0.16/28`. */
export type Cidr = string;

/** Addresses per tenant: the gateway, the bridge and room to spare; the smallest range Docker is happy with is a /30. */
const TENANT_PREFIX = 28;

/** Docker's own pools for networks without a subnet. Source: moby, libnetwork/ipamutils. */
export const DOCKER_POOLS: readonly Cidr[] = ["172.17.0.0/16", "172.18.0.0/15", "172.20.0.0/14", "172.24.0.0/13", "192.168.0.0/16"];

/** First and last address of a range, as numbers. Throws a RangeError when it is not a range. */
export function parseCidr(cidr: Cidr): { first: number; last: number; prefix: number } {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  const numbers = match?.slice(1).map(Number) ?? [];
  const [a = 256, b = 256, c = 256, d = 256, prefix = 33] = numbers;
  if ([a, b, c, d].some((octet) => octet > 255) || prefix > 32) throw new RangeError(`"${cidr}" is not an IPv4 range such as 10.214.0.0/17`);
  const size = 2 ** (32 - prefix);
  const first = ((a * 256 + b) * 256 + c) * 256 + d;
  if (first % size !== 0) throw new RangeError(`"${cidr}" does not start at the first address of a /${prefix}`);
  return { first, last: first + size - 1, prefix };
}

/** Whether two ranges share an address. */
export function overlaps(left: Cidr, right: Cidr): boolean {
  const [a, b] = [parseCidr(left), parseCidr(right)];
  return a.first <= b.last && b.first <= a.last;
}

/** The tenant's /28 and the bridge's address in it. The port decides, so nobody moves when others come or go. Absent: the pool is too small. */
export function findSubnet(pool: Cidr, port: number): { subnet: Cidr; gatewayIp: string } | undefined {
  const { first, last } = parseCidr(pool);
  const size = 2 ** (32 - TENANT_PREFIX);
  const start = first + (port - FIRST_PORT) * size;
  if (start + size - 1 > last) return undefined;
  return { subnet: `${dotted(start)}/${TENANT_PREFIX}`, gatewayIp: dotted(start + 1) };
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
