import { type Refusal } from "./refusal.ts";

const host = { kind: "docker", memoryMb: 8192, cpus: 4 } as const;

/** Settings that no fleet can be planned with. */
export const settings: Refusal[] = [
  {
    name: "a pool that overlaps Docker's own",
    settings: { subnetPool: "172.20.0.0/16" },
    line: 'field subnetPool "172.20.0.0/16": overlaps 172.20.0.0/14, which Docker gives to networks without a subnet; 10.214.0.0/17 is usually free',
  },
  {
    name: "a pool around a reserved range",
    settings: { reservedSubnets: ["10.214.64.0/24"] },
    line: "field subnetPool: overlaps 10.214.64.0/24, which is reserved; 10.214.0.0/17 is usually free",
  },
  {
    name: "a pool inside a reserved range",
    settings: { reservedSubnets: ["10.0.0.0/8"] },
    line: "field subnetPool: overlaps 10.0.0.0/8, which is reserved; 10.214.0.0/17 is usually free",
  },
  {
    name: "a pool that is no range",
    settings: { subnetPool: "10.214.0.0" },
    line: 'field subnetPool "10.214.0.0": "10.214.0.0" is not an IPv4 range such as 10.214.0.0/17',
  },
  {
    name: "a pool that starts within a range",
    settings: { subnetPool: "10.214.0.1/17" },
    line: 'field subnetPool "10.214.0.1/17": "10.214.0.1/17" does not start at the first address of a /17',
  },
  {
    name: "two hosts that are one Docker",
    settings: { hosts: { laptop: host, spare: host } },
    line: 'field hosts.spare.endpoint: is the Docker of host "laptop" already; give it an endpoint of its own',
  },
  { name: "a fleet without hosts", settings: { hosts: {} }, line: "field hosts {}: name at least one host" },
  {
    name: "a kind of host nobody knows",
    settings: { hosts: { laptop: { kind: "moon" } } } as never,
    line: "field hosts.laptop.kind \"moon\": invalid discriminator value. Expected 'docker' | 'hetzner'",
  },
  {
    name: "a setting nobody knows",
    settings: { domian: "example.com" } as never,
    line: "field domian: no such field; the fields here are domain, image, canaryImage, caddyImage, subnetPool, reservedSubnets, streamCloseDelaySeconds, startTimeoutSeconds, otlpEndpoint, operators, dns, hetzner, hosts",
  },
  { name: "a domain with a space", settings: { domain: "exam ple.com" }, line: 'field domain "exam ple.com": invalid hostname' },
  {
    name: "a Docker address without a scheme",
    settings: { hosts: { laptop: { ...host, endpoint: "server.example.com" } } },
    line: 'field hosts.laptop.endpoint "server.example.com": write it as ssh://user@address',
  },
  {
    name: "a Caddy with one port for clients and for tunnels",
    settings: { hosts: { laptop: { ...host, edge: { public: true, httpPort: 8080 } } } },
    line: 'field hosts.laptop.edge {"public":true,"httpPort":8080}: its ports are 8080, 443, 8080; give each a number of its own',
  },
  {
    name: "a setting of a host nobody knows, naming those of its kind",
    settings: { hosts: { laptop: { ...host, edge: { port: 80 } } } } as never,
    line: "field hosts.laptop.edge.port: no such field; the fields here are network, public, tls, httpPort, httpsPort, tunnelPort",
  },
  {
    name: "a Caddy on a tenant's port",
    settings: { hosts: { laptop: { ...host, edge: { httpPort: 18801 } } } },
    line: "field hosts.laptop.edge.httpPort 18801: ports 18801-20000 belong to tenants and 28801-30000 to their webhooks; choose another",
  },
];
