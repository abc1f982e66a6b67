import { tenant } from "../../support/fleet.ts";
import { acme, digest, type Refusal } from "./refusal.ts";

const locked = (path: string): string => acme(`config.${path}: this path is locked, because it isolates the tenant or follows from other fields; remove it`);

/** Overlays that would loosen a tenant, or that OpenClaw would refuse. */
export const overlays: Refusal[] = [
  { name: "an overlay of the gateway", tenants: [tenant({ config: { gateway: { auth: { mode: "none" } } } })], line: locked("gateway") },
  { name: "an overlay that elevates tools", tenants: [tenant({ config: { tools: { elevated: { enabled: true } } } })], line: locked("tools.elevated") },
  {
    name: "an overlay that elevates one agent's tools",
    tenants: [tenant({ config: { agents: { entries: { main: { tools: { elevated: { enabled: true } } } } } } })],
    line: locked("agents.entries.main.tools.elevated"),
  },
  {
    name: "an overlay that replaces a parent of what is locked",
    tenants: [tenant({ config: { tools: null } })],
    line: acme("config.tools: parts of it are locked, so it can only be an object; write the keys you change"),
  },
  {
    name: "an overlay with an include",
    tenants: [tenant({ config: { agents: { defaults: { heartbeat: { $include: "./x.json5" } } } } })],
    line: acme("config.agents.defaults.heartbeat.$include: files cannot be included; write the values here"),
  },
  { name: "an overlay with an include at its root", tenants: [tenant({ config: { $include: "./x.json5" } })], line: locked("$include") },
  {
    name: "a credential in plain text",
    tenants: [tenant({ config: { channels: { discord: { token: "abc" } } } })],
    line: acme('config.channels.discord.token: a credential in plain text; set it as a secret and write "${NAME}"'),
  },
  {
    name: "a reference to a secret that nobody sets",
    tenants: [tenant({ config: { messages: { responsePrefix: "${WHO}" } } })],
    line: acme('config.messages.responsePrefix: ${WHO} is not a secret of this tenant; add "WHO" to env'),
  },
  {
    name: "a reference to the gateway's own token",
    tenants: [tenant({ config: { messages: { responsePrefix: "${OPENCLAW_GATEWAY_TOKEN}" } } })],
    line: acme('config.messages.responsePrefix: ${OPENCLAW_GATEWAY_TOKEN} is not a secret of this tenant; add "OPENCLAW_GATEWAY_TOKEN" to env'),
  },
  {
    name: "a secret from a command",
    tenants: [tenant({ config: { channels: { discord: { token: { source: "exec", provider: "default", id: "x" } } } } })],
    line: acme('config.channels.discord.token: secrets come from "env" here, not from "exec"'),
  },
  {
    name: "a secret reference that nobody sets",
    tenants: [tenant({ config: { channels: { discord: { token: { source: "env", provider: "default", id: "DISCORD" } } } } })],
    line: acme('config.channels.discord.token: "DISCORD" is not a secret of this tenant; add it to env'),
  },
  {
    name: "a key that OpenClaw does not know",
    tenants: [tenant({ config: { session: { maintenance: { maxAge: "1d" } } } })],
    line: acme("config.session.maintenance.maxAge: OpenClaw does not know this key"),
  },
  {
    name: "a value that OpenClaw does not take",
    tenants: [tenant({ config: { logging: { consoleStyle: "loud" } } })],
    line: acme('config.logging.consoleStyle: it must be one of "pretty", "json"'),
  },
  {
    name: "an overlay for a version whose schema is not kept",
    tenants: [tenant({ image: `claw:2026.8.1@${digest}`, config: {} })],
    line: acme("config: the schema of OpenClaw 2026.8.1 is not kept here, so an overlay cannot be checked; there are 2026.9.6"),
  },
];
