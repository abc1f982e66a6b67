import { findServerType, SERVER_TYPES } from "../../../plan/server-types.ts";
import { account, hetznerHost, hetznerSettingsInput, OPERATOR_KEY, running, tenant } from "../../support/fleet.ts";
import type { Refusal } from "./refusal.ts";

/** Settings with one server, which differs from a sound one in this. */
function withHost(over: Parameters<typeof hetznerHost>[0], more: Refusal["settings"] = {}): Pick<Refusal, "settings" | "tenants"> {
  return { settings: hetznerSettingsInput({ hosts: { "host-1": hetznerHost(over) }, ...more }), tenants: [] };
}

/** Sound settings but for these. */
function withSettings(over: Refusal["settings"]): Pick<Refusal, "settings" | "tenants"> {
  return { settings: hetznerSettingsInput(over), tenants: [] };
}

const host = (text: string): string => `field hosts.host-1.${text}`;
const dns = hetznerSettingsInput().dns ?? { zoneId: "" };
const tooMuch = [1, 2, 3].map((number) => tenant({ id: `acme-${number}`, port: 18800 + number, host: "host-1" }));
const vast = [1, 2, 3].map((number) => tenant({ id: `acme-${number}`, port: 18800 + number, host: "host-1", limits: { memoryMb: 65_536 } }));

/** Servers that could not be ordered, or that nobody could log in to. */
export const servers: Refusal[] = [
  {
    name: "a server without operators",
    ...withSettings({ operators: {} }),
    line: "field operators {}: nobody could log in to a host at Hetzner; name at least one public key",
  },
  {
    name: "a server at which nobody may knock",
    ...withHost({ sshFrom: [] }),
    line: host("sshFrom []: nobody could log in; list the addresses you work from, or set tailscale.address"),
  },
  {
    name: "a server in a tailnet without an address, at which nobody may knock",
    ...withHost({ sshFrom: [], tailscale: {} }),
    line: host("sshFrom []: nobody could log in; list the addresses you work from, or set tailscale.address"),
  },
  {
    name: "an address to knock from that is no range",
    ...withHost({ sshFrom: ["203.0.113.7"] }),
    line: host('sshFrom[0] "203.0.113.7": write it as a range: 203.0.113.7/32 for one address, 0.0.0.0/0 for everybody'),
  },
  {
    name: "a range to knock from that starts within a range",
    ...withHost({ sshFrom: ["::/0", "203.0.113.7/24"] }),
    line: host('sshFrom[1] "203.0.113.7/24": write it as a range: 203.0.113.7/32 for one address, 0.0.0.0/0 for everybody'),
  },
  {
    name: "a server type nobody knows",
    ...withHost({ serverType: "cx99" }),
    line: host(`serverType "cx99": no such type in plan/server-types.ts; it has ${SERVER_TYPES.map(({ name }) => name).join(", ")}`),
  },
  {
    name: "a location that is none",
    ...withHost({ location: "Falkenstein" }),
    line: host('location "Falkenstein": use a location of Hetzner\'s, for example fsn1'),
  },
  { name: "a reboot at no time of day", ...withHost({ rebootAt: "24:00" }), line: host('rebootAt "24:00": write it as 04:00') },
  {
    name: "a word for a rebuild that is none",
    ...withHost({ rebuild: "after christmas" }),
    line: host('rebuild "after christmas": use letters, digits, dots and dashes, in quotes: "2026-12-24"'),
  },
  { name: "a volume smaller than any", ...withHost({ dataGb: 9 }), line: host("dataGb 9: too small: expected number to be >=10") },
  { name: "a volume larger than any", ...withHost({ dataGb: 10_241 }), line: host("dataGb 10241: too big: expected number to be <=10240") },
  {
    name: "the memory of a machine whose type says it",
    ...withHost({ memoryMb: 8192 } as never),
    line: host(
      "memoryMb: no such field; the fields here are kind, serverType, location, image, dataGb, reserveMb, swapMb, backups, protected, rebuild, sshFrom, rebootAt, tailscale",
    ),
  },
  {
    name: "an operator's key that is none",
    ...withSettings({ operators: { ann: "AAAAC3NzaC1lZDI1NTE5AAAAIAGvJo8AhqzxcRNR37xaC7W" } }),
    line: 'field operators.ann "AAAA…": paste the line of a public key file, for example ~/.ssh/id_ed25519.pub',
  },
  {
    name: "an operator's key with options, which would run a command",
    ...withSettings({ operators: { ann: `command="sh" ${OPERATOR_KEY}` } }),
    line: 'field operators.ann "command=\\"sh\\" ssh-ed25519 AAAA… ann@laptop": paste the line of a public key file, for example ~/.ssh/id_ed25519.pub',
  },
  {
    name: "an operator's key of two lines",
    ...withSettings({ operators: { ann: `${OPERATOR_KEY}\n` } }),
    line: 'field operators.ann "ssh-ed25519 AAAA… ann@laptop\\n": paste the line of a public key file, for example ~/.ssh/id_ed25519.pub',
  },
  {
    name: "a key of two operators, which Hetzner takes once",
    ...withSettings({ operators: { ann: OPERATOR_KEY, bob: OPERATOR_KEY.replace("ann@laptop", "bob@desk") } }),
    line: 'field operators.bob "ssh-ed25519 AAAA… bob@desk": is the key of operator "ann" already; give each a key of their own',
  },
  {
    name: "a zone by its name",
    ...withSettings({ dns: { zoneId: "example.com" } }),
    line: 'field dns.zoneId "example.com": use the zone\'s id, 32 hex digits on its overview page',
  },
  {
    name: "a wildcard to a host nobody knows",
    ...withSettings({ dns: { ...dns, wildcard: "host-2" } }),
    line: 'field dns.wildcard "host-2": is no host at Hetzner; name one, or leave it out',
  },
  {
    name: "a wildcard to a host whose address nobody knows",
    settings: { dns: { ...dns, wildcard: "laptop" } },
    line: 'field dns.wildcard "laptop": is no host at Hetzner; name one, or leave it out',
  },
  {
    name: "certificates of callers without Cloudflare in front",
    ...withSettings({ dns: { ...dns, proxied: false, originPulls: true } }),
    line: "field dns.originPulls true: needs Cloudflare in front; set proxied: true",
  },
  {
    name: "Cloudflare's certificate without a zone",
    settings: { hosts: { laptop: { kind: "docker", memoryMb: 8192, cpus: 4, edge: { public: true, tls: "origin" } } } },
    line: 'field hosts.laptop.edge {"public":true,"tls":"origin"}: tls "origin" needs Cloudflare in front; set dns with proxied: true',
  },
  {
    name: "Cloudflare's certificate for a zone without Cloudflare in front",
    settings: { dns: { ...dns, proxied: false }, hosts: { laptop: { kind: "docker", memoryMb: 8192, cpus: 4, edge: { public: true, tls: "origin" } } } },
    line: 'field hosts.laptop.edge {"public":true,"tls":"origin"}: tls "origin" needs Cloudflare in front; set dns with proxied: true',
  },
  {
    name: "a private network around the tenants' own",
    ...withSettings({ hetzner: { network: { ipRange: "10.0.0.0/8" } } }),
    line: "field subnetPool: overlaps 10.0.0.0/8, which is the servers' private network; 10.214.0.0/17 is usually free",
  },
  {
    name: "a private network among Docker's own",
    ...withSettings({ hetzner: { network: { ipRange: "172.20.1.0/24" } } }),
    line: 'field hetzner.network.ipRange "172.20.1.0/24": overlaps 172.20.0.0/14, which Docker gives to networks without a subnet; 10.20.0.0/24 is usually free',
  },
  {
    name: "a private network that is no range",
    ...withSettings({ hetzner: { network: { ipRange: "10.20.0.1/24" } } }),
    line: 'field hetzner.network.ipRange "10.20.0.1/24": "10.20.0.1/24" does not start at the first address of a /24',
  },
  {
    name: "more tenants than a server has memory for, naming the types that hold them",
    ...withHost({ serverType: "cx33" }),
    tenants: tooMuch,
    line: 'host "host-1" is full: 3 active tenants ask for 6144 MiB and it has 5638 MiB (7686 less 2048 for the system), 506 too few; choose smaller sizes, suspend a tenant or place it elsewhere, or change serverType: all of it fits on cx43 (16 GiB, 15.99 EUR a month), cpx42 (16 GiB, 69.49 EUR a month), ccx23 (16 GiB, 85.99 EUR a month)',
  },
  {
    name: "more tenants than a server of its architecture can hold",
    ...withHost({ serverType: "cax31" }),
    tenants: vast,
    line: 'host "host-1" is full: 3 active tenants ask for 196608 MiB and it has 13420 MiB (15468 less 2048 for the system), 183188 too few; choose smaller sizes, suspend a tenant or place it elsewhere; no type at Hetzner would hold them all',
  },
  {
    name: "more CPUs than a server's type has",
    ...withHost({ serverType: "cx33" }),
    tenants: [tenant({ host: "host-1", limits: { cpus: 5 } })],
    line: 'tenant "acme", field limits.cpus 5: host "host-1" has 4; ask for at most that',
  },
];

/** What Hetzner would refuse, or what would cost data. */
export const accounts: Refusal[] = [
  {
    name: "a server in another location than its data",
    ...withHost({ location: "nbg1" }),
    ...running(),
    line: 'host "host-1", field location "nbg1": its server and its data are in fsn1, and neither can leave; add a host there and move the tenants to it',
  },
  {
    name: "a volume that shall shrink",
    ...withHost({ dataGb: 50 }),
    ...running(),
    line: 'host "host-1", field dataGb 50: its data volume has 100 GB, and a volume cannot shrink; put 100 back',
  },
  {
    name: "a rebuild of a host that is protected in the settings",
    ...withHost({ rebuild: "2026-12-24" }),
    ...running({ isProtected: false }),
    line: 'host "host-1", field rebuild "2026-12-24": the host is protected; first set protected: false without a new rebuild and run `pulumi up`, then set rebuild',
  },
  {
    name: "a rebuild of a host that is still protected at Hetzner",
    ...withHost({ rebuild: "2026-12-24", protected: false }),
    ...running({ rebuild: "2025-12-24" }),
    line: 'host "host-1", field rebuild "2026-12-24": the host is protected; first set protected: false without a new rebuild and run `pulumi up`, then set rebuild',
  },
  {
    name: "a new server in a tailnet that it has not joined",
    ...withHost({ sshFrom: [], tailscale: { address: "host-1.example.ts.net" } }),
    line: 'host "host-1", field tailscale.address "host-1.example.ts.net": a new server is in no tailnet yet; take it out and list sshFrom until the server has joined',
  },
  {
    name: "a rebuild of a server that is reached in its tailnet only",
    ...withHost({ rebuild: "2026-12-24", protected: false, tailscale: { address: "host-1.example.ts.net" } }),
    ...running({ isProtected: false }),
    line: 'host "host-1", field rebuild "2026-12-24": the new server has to join the tailnet before it can be reached there; take tailscale.address out and list sshFrom for this update',
  },
  {
    name: "a type of another architecture than the running server's",
    ...withHost({ serverType: "cax31" }),
    ...running(),
    line: 'host "host-1", field serverType "cax31": its server is a cx43, and what runs on x86 does not run on arm; choose another x86 type, or set a new rebuild with it',
  },
  {
    name: "a new server of a type that Hetzner dropped",
    ...withHost({ serverType: "cx53" }),
    line: 'host "host-1", field serverType "cx53": Hetzner has no such type; fsn1 has nothing of its architecture and size now',
  },
  {
    name: "a new server of a type that its location never sold",
    ...withHost({ serverType: "cax31", location: "nbg1" }),
    line: 'host "host-1", field serverType "cax31": Hetzner does not sell it in nbg1; it is sold in fsn1; nbg1 has nothing of its architecture and size now',
  },
  {
    name: "a new server of a type that is sold out",
    ...withHost({ serverType: "cx33" }),
    cloud: { offers: soldOut("cx33") },
    line: 'host "host-1", field serverType "cx33": it is sold out in fsn1; it is sold in nbg1; fsn1 has cx43 (16 GiB, 15.99 EUR a month)',
  },
  {
    name: "a new server in a location that Hetzner does not have",
    ...withHost({ location: "fsn9" }),
    line: 'host "host-1", field location "fsn9": Hetzner has no such location; there are fsn1, hel1 and nbg1',
  },
  {
    name: "another type for a server that is sold out",
    ...withHost({ serverType: "cx33" }),
    cloud: { ...running().cloud, offers: soldOut("cx33") },
    line: 'host "host-1", field serverType "cx33": it is sold out in fsn1; it is sold in nbg1; fsn1 has cx43 (16 GiB, 15.99 EUR a month)',
  },
  {
    name: "a rebuild of a server whose type is sold out",
    ...withHost({ serverType: "cx33", rebuild: "2026-12-24", protected: false }),
    cloud: { ...running({ serverType: "cx33", isProtected: false }).cloud, offers: soldOut("cx33") },
    line: 'host "host-1", field serverType "cx33": it is sold out in fsn1; it is sold in nbg1; fsn1 has cx43 (16 GiB, 15.99 EUR a month)',
  },
];

/** The account's offers with one type sold out in fsn1. */
function soldOut(type: string): (typeof account)["offers"] {
  if (findServerType(type) === undefined) throw new Error(`there is no type ${type}`);
  return account.offers.map((offer) =>
    offer.name === type ? { ...offer, locations: offer.locations.map((place) => ({ ...place, available: place.name !== "fsn1" })) } : offer,
  );
}
