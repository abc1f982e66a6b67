import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import * as pulumi from "@pulumi/pulumi";

import type { PlannedName } from "../plan/dns.ts";

export interface DnsArgs {
  zoneId: string;
  /** Whether Cloudflare stands in front. */
  isProxied: boolean;
  planned: PlannedName;
  /** Addresses of the host that the name points to. */
  ipv4: pulumi.Input<string>;
  ipv6: pulumi.Input<string>;
}

/** Seconds that a resolver may keep an address which is not proxied; a moved tenant is found again after as long. */
const TTL_SECONDS = 300;
/** Cloudflare's word for "automatic", the only one for a proxied name. */
const AUTOMATIC = 1;

/** One name at Cloudflare, for IPv4 and IPv6. */
export class Dns extends pulumi.ComponentResource {
  constructor(name: string, { zoneId, isProxied, planned, ipv4, ipv6 }: DnsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openclaw:index:Dns", name, {}, opts);
    for (const [type, content] of [
      ["A", ipv4],
      ["AAAA", ipv6],
    ] as const) {
      new DnsRecord(
        `${name}-${type.toLowerCase()}`,
        { zoneId, name: planned.hostname, type, content, proxied: isProxied, ttl: isProxied ? AUTOMATIC : TTL_SECONDS, comment: planned.comment },
        { parent: this },
      );
    }
    this.registerOutputs();
  }
}
