import type { Tenant } from "../tenants/schema.ts";
import type { HostSettings } from "./host-settings.ts";
import { findServerType, usableMemoryMb } from "./server-types.ts";

/** What a tenant's container may use at most. */
export interface GatewayLimits {
  /** MiB; swap is off, so this is everything. */
  memoryMb: number;
  cpus: number;
  pids: number;
  /** MiB of V8 old space. */
  heapMb: number;
}

/**
 * Measured on OpenClaw 2026.9.6: an idle gateway holds 0.65-0.8 GiB, 1 GiB is killed once a second process runs in the container, and about
 * 38 pids are in use. `small` is the least that survives an `openclaw` command beside the gateway.
 */
export const SIZES: Readonly<Record<Tenant["size"], GatewayLimits>> = {
  small: { memoryMb: 1536, cpus: 1, pids: 256, heapMb: 512 },
  standard: { memoryMb: 2048, cpus: 2, pids: 256, heapMb: 768 },
  large: { memoryMb: 4096, cpus: 4, pids: 512, heapMb: 2048 },
};

/** MiB that the gateway needs beside its V8 heap: code, buffers, helper processes and the memory-backed /tmp. */
export const OUTSIDE_HEAP_MB = 768;

/** The size's figures with the entry's own on top; never more CPUs than the host has, which Docker would refuse. */
export function planLimits({ size, limits }: Pick<Tenant, "size" | "limits">, hostCpus: number): GatewayLimits {
  const base = SIZES[size];
  const memoryMb = limits.memoryMb ?? base.memoryMb;
  return {
    memoryMb,
    cpus: Math.min(limits.cpus ?? base.cpus, hostCpus),
    pids: limits.pids ?? base.pids,
    heapMb: limits.heapMb ?? Math.min(base.heapMb, memoryMb - OUTSIDE_HEAP_MB),
  };
}

/** What a host has for its tenants and keeps for itself. */
export interface Capacity {
  /** MiB. */
  memoryMb: number;
  cpus: number;
  /** MiB kept for the system, Caddy and Docker. */
  reserveMb: number;
}

/** A host's capacity: as written, or as its type at Hetzner has it. */
export function capacityOf(host: HostSettings): Capacity {
  switch (host.kind) {
    case "docker":
      return { memoryMb: host.memoryMb, cpus: host.cpus, reserveMb: host.reserveMb };
    case "hetzner": {
      const type = findServerType(host.serverType);
      if (type === undefined) throw new Error(`server type ${host.serverType} is not known, although it was checked`);
      return { memoryMb: usableMemoryMb(type.memoryMb), cpus: type.cores, reserveMb: host.reserveMb };
    }
  }
}
