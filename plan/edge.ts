import type { HostSettings } from "./host-settings.ts";
import type { Settings } from "./settings.ts";

/** How a host's Caddy meets the world. */
export interface PlannedEdge {
  network: "host" | "bridge";
  /** Whether the world may connect; else this machine only. */
  isPublic: boolean;
  /** `none`: plain http. The others say whose certificates serve. */
  tls: "none" | "acme" | "internal" | "origin";
  httpPort: number;
  httpsPort: number;
  /** Where the host's loopback serves what operators reach through a tunnel. Absent: they are on the machine itself. */
  tunnelPort: number | undefined;
}

/** Decides a host's edge. Behind Cloudflare its origin certificate serves; before the world, certificates of Caddy's own. */
export function planEdge(host: HostSettings, { dns }: Pick<Settings, "dns">): PlannedEdge {
  switch (host.kind) {
    case "docker": {
      const { network, public: isPublic, tls = isPublic ? "acme" : "none", httpPort, httpsPort, tunnelPort } = host.edge;
      return {
        network,
        isPublic,
        tls,
        httpPort: httpPort ?? (isPublic ? 80 : 8080),
        httpsPort: httpsPort ?? (isPublic ? 443 : 8443),
        // On a bridge Caddy has no part in the loopback of the host.
        tunnelPort: isPublic && network === "host" ? tunnelPort : undefined,
      };
    }
    case "hetzner":
      return { network: "host", isPublic: true, tls: dns?.proxied === true ? "origin" : "acme", httpPort: 80, httpsPort: 443, tunnelPort: 8080 };
  }
}
