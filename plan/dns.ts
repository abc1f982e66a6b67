import type { PlannedHost } from "./host.ts";
import type { Settings } from "./settings.ts";

/** The names of one tenant, or of everybody else. */
export interface PlannedName {
  /** Name of the resource: the tenant's id, or `*`. */
  id: string;
  /** Full name, `acme.example.com`: short ones show a change on every preview. */
  hostname: string;
  /** Key of the host it points to. */
  host: string;
  /** Shown at Cloudflare. */
  comment: string;
}

/** All names of a stack at Cloudflare. */
export interface PlannedDns {
  zoneId: string;
  isProxied: boolean;
  names: PlannedName[];
}

/** One name per tenant on a host whose address this program knows; suspended tenants keep theirs. Absent: no zone is set. */
export function planDns(stack: string, { dns, domain }: Settings, hosts: readonly PlannedHost[]): PlannedDns | undefined {
  if (dns === undefined) return undefined;
  const tenants = hosts
    .filter(({ machine }) => machine !== undefined)
    .flatMap(({ id: host, tenants: all }) =>
      all.map(({ id, hostname }): PlannedName => ({ id, hostname, host, comment: `openclaw-tenants: tenant ${id} of stack ${stack}` })),
    );
  const wildcard =
    dns.wildcard === undefined
      ? []
      : // No tenant's id has a star.
        [{ id: "*", hostname: `*.${domain}`, host: dns.wildcard, comment: `openclaw-tenants: every other name of stack ${stack}` }];
  return { zoneId: dns.zoneId, isProxied: dns.proxied, names: [...tenants, ...wildcard] };
}
