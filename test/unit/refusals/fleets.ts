import type { FleetInput } from "../../../plan/parse.ts";
import { library, tenant } from "../../support/fleet.ts";
import { acme, second, type Refusal } from "./refusal.ts";

const host = { kind: "docker", memoryMb: 8192, cpus: 4 } as const;

function skill(manifest: string): Partial<FleetInput> {
  return { library: { names: ["house-style"], files: [{ path: "house-style/SKILL.md", contentBase64: btoa(manifest), isExecutable: false }] } };
}

/** Entries that do not fit each other or their host. */
export const fleets: Refusal[] = [
  { name: "an id twice", tenants: [tenant(), tenant({ port: 18802 })], line: 'tenant id "acme" is used twice; give one of them another' },
  {
    name: "a port twice, naming the next free one",
    tenants: [tenant(), tenant({ ...second, port: 18801 }), tenant({ id: "initech", port: 18802 })],
    line: 'port 18801 of tenant "globex" belongs to tenant "acme"; the next free one is 18803',
  },
  {
    name: "a port twice on two hosts",
    tenants: [tenant(), tenant({ ...second, port: 18801, host: "server" })],
    line: 'port 18801 of tenant "globex" belongs to tenant "acme"; the next free one is 18802',
  },
  { name: "a host nobody knows", tenants: [tenant({ host: "moon" })], line: acme('host "moon": no such host in the settings; there are laptop, server') },
  {
    name: "a host by the name of what every object has",
    tenants: [tenant({ host: "constructor" })],
    line: acme('host "constructor": no such host in the settings; there are laptop, server'),
  },
  {
    name: "more tenants than a host has memory for",
    settings: { hosts: { laptop: { ...host, memoryMb: 4096 } } },
    tenants: [tenant({ size: "small" }), tenant({ ...second, size: "standard" })],
    line: 'host "laptop" is full: 2 active tenants ask for 3584 MiB and it has 3072 MiB (4096 less 1024 for the system), 512 too few; choose smaller sizes, suspend a tenant or place it elsewhere',
  },
  {
    name: "more CPUs than the host has",
    tenants: [tenant({ limits: { cpus: 8.5 } })],
    line: acme('limits.cpus 8.5: host "laptop" has 8; ask for at most that'),
  },
  {
    name: "a heap that leaves nothing beside it",
    tenants: [tenant({ size: "small", limits: { heapMb: 1024 } })],
    line: acme("limits.heapMb 1024: the gateway needs 768 MiB beside its heap and has 1536 MiB; use at most 768"),
  },
  {
    name: "a webhook that Telegram cannot reach",
    tenants: [tenant({ telegram: { mode: "webhook" } })],
    over: { secrets: { acme: ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"] } },
    line: acme('telegram.mode "webhook": Telegram cannot reach host "laptop", which serves this machine only; use "polling"'),
  },
  {
    name: "a port whose subnet lies outside the pool",
    settings: { subnetPool: "10.214.0.0/24" },
    tenants: [tenant({ port: 18817 })],
    line: acme("port 18817: its subnet lies outside subnetPool 10.214.0.0/24; take a lower port or a larger pool"),
  },
  {
    name: "two authoring instances",
    tenants: [tenant({ skills: { author: true } }), tenant({ ...second, skills: { author: true } })],
    line: 'tenant "globex", field skills.author: tenant "acme" is the authoring instance already; there is one in a fleet',
  },
  {
    name: "authored skills without an author",
    tenants: [tenant({ skills: { authored: true } })],
    line: acme("skills.authored: no tenant is the authoring instance; give one skills: { author: true }"),
  },
  {
    name: "authored skills from another host",
    tenants: [tenant({ skills: { authored: true } }), tenant({ ...second, host: "server", skills: { author: true } })],
    line: acme('skills.authored: the authoring instance "globex" is on host "server", this tenant on "laptop"; they must share one'),
  },
  {
    name: "a skill that is not in the library",
    tenants: [tenant({ skills: { shared: ["haus-style"] } })],
    line: acme('skills.shared "haus-style": not in the library; it has house-style'),
  },
  {
    name: "a skill without its SKILL.md",
    over: { library: { ...library, files: [] } },
    line: 'skill "house-style" has no skills/house-style/SKILL.md; add it',
  },
  {
    name: "a skill without a description",
    over: skill("---\nname: house-style\n---\nWrite well.\n"),
    line: 'skills/house-style/SKILL.md has no "description" between its first two --- lines; add it',
  },
  {
    name: "a skill whose name stands below the front matter",
    over: skill("---\ndescription: writes\n---\nname: house-style\n"),
    line: 'skills/house-style/SKILL.md has no "name" between its first two --- lines; add it',
  },
];

/** Entries that do not fit what was before. */
export const past: Refusal[] = [
  {
    name: "data of a removed tenant, unless adopted",
    over: { past: { tenants: {}, retained: { acme: "laptop" } } },
    line: 'data of a removed tenant "acme" is kept on host "laptop"; say adopt: true if this is the same client, else choose another id',
  },
  {
    name: "data of a removed tenant on another host",
    over: { past: { tenants: {}, retained: { acme: "server" } } },
    line: 'data of a removed tenant "acme" is kept on host "server"; place it there with adopt: true, or choose another id',
  },
  {
    name: "a change of host, which would leave the data behind",
    over: { past: { tenants: { acme: "server" }, retained: {} } },
    line: 'tenant "acme" has its data on host "server"; a change of host to "laptop" would start it empty: say moveFrom: "server" to carry its data along, or put host back',
  },
  {
    name: "a change of host even when data is adopted",
    tenants: [tenant({ adopt: true })],
    over: { past: { tenants: { acme: "server" }, retained: {} } },
    line: 'tenant "acme" has its data on host "server"; a change of host to "laptop" would start it empty: say moveFrom: "server" to carry its data along, or put host back',
  },
  {
    name: "a move from a host that its data is not on",
    tenants: [tenant({ moveFrom: "desktop" })],
    over: { past: { tenants: { acme: "server" }, retained: {} } },
    line: acme('moveFrom "desktop": its data is on host "server"; say moveFrom: "server"'),
  },
  {
    name: "a move from the host it goes to",
    tenants: [tenant({ moveFrom: "laptop" })],
    over: { past: { tenants: { acme: "server" }, retained: {} } },
    line: acme('moveFrom "laptop": it is the host that the tenant shall be on; name the one it comes from'),
  },
  {
    name: "a move of a tenant that is new",
    tenants: [tenant({ moveFrom: "server" })],
    line: acme('moveFrom "server": the tenant is new and has no data anywhere; leave it out'),
  },
  {
    name: "a move of a suspended tenant",
    tenants: [tenant({ moveFrom: "server", status: "suspended" })],
    over: { past: { tenants: { acme: "server" }, retained: {} } },
    line: acme('status "suspended": its data is carried when it starts on host "laptop"; move it while it is active'),
  },
  {
    name: "a move from a host that the settings lost",
    tenants: [tenant({ moveFrom: "moon" })],
    over: { past: { tenants: { acme: "moon" }, retained: {} } },
    line: acme('moveFrom "moon": the settings have no such host any more; put it back until the tenant has moved'),
  },
  {
    name: "adopted data on another host",
    tenants: [tenant({ adopt: true })],
    over: { past: { tenants: {}, retained: { acme: "server" } } },
    line: 'data of a removed tenant "acme" is kept on host "server"; place it there with adopt: true, or choose another id',
  },
];
