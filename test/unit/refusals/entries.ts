import { tenant } from "../../support/fleet.ts";
import { acme, type Refusal } from "./refusal.ts";

const fields = "id, name, host, port, size, limits, status, model, telegram, env, expose, skills, canary, image, config, adopt, moveFrom";

/** Entries that are wrong in themselves. */
export const entries: Refusal[] = [
  { name: "an entry that is no object", tenants: [5], line: "tenant number 1, value 5: invalid input: expected object, received number" },
  {
    name: "an id with capitals",
    tenants: [tenant({ id: "Acme" })],
    line: 'tenant "Acme", field id "Acme": use 2-30 lowercase letters, digits or dashes, starting with a letter and not ending in a dash',
  },
  {
    name: "an id of one letter",
    tenants: [tenant({ id: "a" })],
    line: 'tenant "a", field id "a": use 2-30 lowercase letters, digits or dashes, starting with a letter and not ending in a dash',
  },
  {
    name: "an id of 31 letters",
    tenants: [tenant({ id: "a".repeat(31) })],
    line: `tenant "${"a".repeat(31)}", field id "${"a".repeat(31)}": use 2-30 lowercase letters, digits or dashes, starting with a letter and not ending in a dash`,
  },
  {
    name: "an id that ends in a dash",
    tenants: [tenant({ id: "acme-" })],
    line: 'tenant "acme-", field id "acme-": use 2-30 lowercase letters, digits or dashes, starting with a letter and not ending in a dash',
  },
  {
    name: "an id with a line break",
    tenants: [tenant({ id: "acme\n" })],
    line: 'tenant "acme\\n", field id "acme\\n": use 2-30 lowercase letters, digits or dashes, starting with a letter and not ending in a dash',
  },
  {
    name: "the admin gateway's id",
    tenants: [tenant({ id: "admin" })],
    line: 'tenant "admin", field id "admin": this id is reserved; the reserved ones are admin, localhost, mail, www',
  },
  { name: "an entry without a name", tenants: [{ id: "acme", host: "laptop", port: 18801 }], line: acme("name: missing") },
  { name: "an empty name", tenants: [tenant({ name: " " })], line: acme('name " ": too small: expected string to have >=1 characters') },
  { name: "a field nobody knows", tenants: [{ ...tenant(), ports: [1] }], line: acme(`ports: no such field; the fields here are ${fields}`) },
  {
    name: "a field nobody knows further in",
    tenants: [{ ...tenant(), limits: { memory: 2048 } }],
    line: acme("limits.memory: no such field; the fields here are memoryMb, cpus, pids, heapMb"),
  },
  { name: "a docker flag in an entry", tenants: [{ ...tenant(), privileged: true }], line: acme(`privileged: no such field; the fields here are ${fields}`) },
  {
    name: "the admin gateway's port",
    tenants: [tenant({ port: 18789 })],
    line: acme("port 18789: tenant ports start at 18801; 18789 belongs to the admin gateway"),
  },
  { name: "a port past the last", tenants: [tenant({ port: 20001 })], line: acme("port 20001: too big: expected number to be <=20000") },
  { name: "a port that is text", tenants: [{ ...tenant(), port: "18801" }], line: acme('port "18801": invalid input: expected number, received string') },
  {
    name: "a size nobody knows",
    tenants: [{ ...tenant(), size: "huge" }],
    line: acme('size "huge": invalid option: expected one of "small"|"standard"|"large"'),
  },
  {
    name: "a status nobody knows",
    tenants: [{ ...tenant(), status: "paused" }],
    line: acme('status "paused": invalid option: expected one of "active"|"suspended"'),
  },
  {
    name: "less memory than boots",
    tenants: [tenant({ limits: { memoryMb: 1024 } })],
    line: acme("limits.memoryMb 1024: too small: expected number to be >=1280"),
  },
  { name: "unlimited pids", tenants: [tenant({ limits: { pids: -1 } })], line: acme("limits.pids -1: too small: expected number to be >=128") },
  {
    name: "more pids than any tenant needs",
    tenants: [tenant({ limits: { pids: 5000 } })],
    line: acme("limits.pids 5000: too big: expected number to be <=4096"),
  },
  { name: "no CPU limit by way of zero", tenants: [tenant({ limits: { cpus: 0 } })], line: acme("limits.cpus 0: too small: expected number to be >=0.25") },
  {
    name: "a heap that does not boot",
    tenants: [tenant({ limits: { heapMb: 256 } })],
    line: acme("limits.heapMb 256: too small: expected number to be >=384"),
  },
  {
    name: "something else than a part to expose",
    tenants: [{ ...tenant(), expose: ["tools"] }],
    line: acme('expose[0] "tools": invalid option: expected one of "hooks"|"controlUi"|"api"'),
  },
  {
    name: "a secret's name in small letters",
    tenants: [tenant({ env: ["notion_key"] })],
    line: acme('env[0] "notion_key": use upper-case letters, digits and underscores, starting with a letter'),
  },
  {
    name: "a secret that sets Node's options",
    tenants: [tenant({ env: ["NODE_OPTIONS"] })],
    line: acme('env[0] "NODE_OPTIONS": this name is set by the container itself; choose another'),
  },
  {
    name: "a secret in place of the gateway's token",
    tenants: [tenant({ env: ["OPENCLAW_GATEWAY_TOKEN"] })],
    line: acme('env[0] "OPENCLAW_GATEWAY_TOKEN": this name is set by the container itself; choose another'),
  },
  {
    name: "everybody without saying dmPolicy open",
    tenants: [tenant({ telegram: { allowFrom: ["*"] } })],
    line: acme('telegram.allowFrom ["*"]: "*" admits everybody; say so with dmPolicy "open"'),
  },
  {
    name: "dmPolicy open that drops every message",
    tenants: [tenant({ telegram: { dmPolicy: "open" } })],
    line: acme('telegram.allowFrom: dmPolicy "open" drops every message unless allowFrom contains "*"'),
  },
  {
    name: "an empty allow-list",
    tenants: [tenant({ telegram: { dmPolicy: "allowlist" } })],
    line: acme('telegram.allowFrom: dmPolicy "allowlist" with an empty allowFrom drops every message; list at least one id'),
  },
  {
    name: "an empty allow-list of groups",
    tenants: [tenant({ telegram: { groupPolicy: "allowlist" } })],
    line: acme('telegram.groupAllowFrom: groupPolicy "allowlist" with an empty groupAllowFrom drops every message; list at least one id'),
  },
  {
    name: "a Telegram name in place of an id",
    tenants: [tenant({ telegram: { dmPolicy: "allowlist", allowFrom: ["@ann"] } })],
    line: acme('telegram.allowFrom[0] "@ann": use the numeric Telegram id as a string, or "*" for everybody'),
  },
  {
    name: "a bot token in the list",
    tenants: [{ ...tenant(), telegram: { botToken: "${X}" } }],
    line: acme("telegram.botToken: no such field; the fields here are mode, dmPolicy, groupPolicy, allowFrom, groupAllowFrom"),
  },
  {
    name: "an author who reads what others wrote",
    tenants: [tenant({ skills: { author: true, authored: true } })],
    line: acme("skills.authored true: the authoring instance has its own directory already; drop one of the two"),
  },
];
