import type { HetznerSettings } from "./host-settings.ts";
import type { PlannedEdge } from "./edge.ts";

/** One rule of a Hetzner firewall; whatever no rule admits is dropped. */
export interface FirewallRule {
  direction: "in";
  protocol: "icmp" | "tcp";
  /** Absent for icmp. */
  port?: string;
  sourceIps: string[];
  description: string;
}

/** A server at Hetzner, decided. */
export interface PlannedMachine {
  settings: HetznerSettings;
  /** Name of server, volume and addresses at Hetzner; what this host is known by there. */
  name: string;
  /** Labels of everything of this host at Hetzner. */
  labels: Record<string, string>;
  firewall: FirewallRule[];
  /** Whether this very run builds the server anew. */
  isRebuilding: boolean;
  /** Whether edits of what a server is built from leave it alone. Not until it is built for its word, so neither after a run that got no further than the old one's end. */
  isSettled: boolean;
  /** Ranges that tenants must not reach. */
  privateRanges: string[];
}

/** IPv4 and IPv6. */
const EVERYBODY = ["0.0.0.0/0", "::/0"];

/** Admits ssh from where operators are, the web from Cloudflare or everybody, and ping. */
export function planFirewall({ sshFrom, tailscale }: HetznerSettings, { tls }: PlannedEdge, proxyRanges: readonly string[]): FirewallRule[] {
  const rule = (description: string, port: string, sources: readonly string[]): FirewallRule => ({
    direction: "in",
    protocol: "tcp",
    port,
    sourceIps: sources.toSorted(),
    description,
  });
  const callers = tls === "origin" ? proxyRanges : EVERYBODY;
  return [
    // Through Tailscale's own tunnel ssh needs no open port.
    ...(tailscale?.address === undefined ? [rule("ssh", "22", sshFrom)] : []),
    rule("http", "80", callers),
    rule("https", "443", callers),
    { direction: "in", protocol: "icmp", sourceIps: EVERYBODY, description: "ping" },
  ];
}
