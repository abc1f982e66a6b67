import type { z } from "zod";

import type { Cloud, ExistingServer } from "../../plan/cloud.ts";
import { type Fleet, planFleet } from "../../plan/fleet.ts";
import type { PlannedHost, PlannedTenant } from "../../plan/host.ts";
import type { FleetInput } from "../../plan/parse.ts";
import { parseSettings, type Settings } from "../../plan/settings.ts";
import type { Offer } from "../../plan/stock.ts";
import { readLibrary } from "../../stack/files.ts";
import type { TenantInput } from "../../tenants/schema.ts";

/** Well-formed references; nothing is ever pulled by them. */
const IMAGE = `openclaw/openclaw:2026.9.6@sha256:${"a".repeat(64)}`;
const CADDY_IMAGE = `caddy:2.11.4@sha256:${"c".repeat(64)}`;

type SettingsInput = z.input<typeof Settings>;
type HostInput = SettingsInput["hosts"][string];
type ModelInput = NonNullable<TenantInput["model"]>;

/** A provider of a tenant's own with one small model. */
export const house: NonNullable<ModelInput["providers"]>[string] = {
  baseUrl: "https://llm.example.com/v1",
  api: "openai-completions",
  models: [{ id: "small", contextWindow: 8192, maxTokens: 1024, cost: { input: 1, output: 2 } }],
};

/** Settings of a stack with one small host for this machine and one for the world, as an operator would write them. */
export function settingsInput(over: Partial<SettingsInput> = {}): SettingsInput {
  return {
    domain: "example.com",
    image: IMAGE,
    caddyImage: CADDY_IMAGE,
    hosts: {
      laptop: { kind: "docker", memoryMb: 16_384, cpus: 8 },
      server: { kind: "docker", endpoint: "ssh://root@server.example.com", memoryMb: 16_384, cpus: 8, edge: { public: true } },
    },
    ...over,
  };
}

/** A public key of an operator; nobody has the private one. */
export const OPERATOR_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAGvJo8AhqzxcRNR37xaC7W/zes98Y1TEZTQ6RIgIdbL ann@laptop";

/** A machine of the operator's own. */
export function dockerHost(over: Partial<Extract<HostInput, { kind: "docker" }>> = {}): HostInput {
  return { kind: "docker", memoryMb: 8192, cpus: 4, ...over };
}

/** A server at Hetzner, as an operator would order it. */
export function hetznerHost(over: Partial<Extract<HostInput, { kind: "hetzner" }>> = {}): HostInput {
  return { kind: "hetzner", serverType: "cx43", location: "fsn1", dataGb: 100, sshFrom: ["203.0.113.7/32"], ...over };
}

/** Settings of a stack with one server at Hetzner behind Cloudflare. */
export function hetznerSettingsInput(over: Partial<SettingsInput> = {}): SettingsInput {
  return settingsInput({ operators: { ann: OPERATOR_KEY }, dns: { zoneId: "0123456789abcdef".repeat(2) }, hosts: { "host-1": hetznerHost() }, ...over });
}

/** The same, parsed. */
export function hetznerSettings(over: Partial<SettingsInput> = {}): Settings {
  return settings(hetznerSettingsInput(over));
}

/** Accounts without a server yet. Nothing is sold out where it is sold at all. */
export const account: Cloud & { offers: readonly Offer[] } = {
  proxyRanges: ["2400:cb00::/32", "173.245.48.0/20", "103.21.244.0/22"],
  servers: {},
  offers: [
    offer("cx33", 4, 8, "x86", ["fsn1", "nbg1"]),
    offer("cx43", 8, 16, "x86", ["fsn1", "nbg1"]),
    offer("cax31", 8, 16, "arm", ["fsn1"]),
    offer("ccx63", 48, 192, "x86", ["hel1"]),
  ],
};

function offer(name: string, cores: number, memoryGb: number, architecture: "x86" | "arm", locations: readonly string[]): Offer {
  const sold = locations.map((location) => ({ name: location, available: true, isDeprecated: false }));
  return { name, cores, memoryMb: memoryGb * 1024, architecture, isDeprecated: false, locations: sold };
}

/** What a plan of a fleet with one server at Hetzner follows from, where that differs from a sound one in this. */
export function withServer(over: Parameters<typeof hetznerHost>[0] = {}, more: Partial<SettingsInput> = {}): Partial<FleetInput> {
  return { settings: hetznerSettings({ hosts: { "host-1": hetznerHost(over) }, ...more }) };
}

/** The accounts once that server runs, but for this. */
export function running(over: Partial<ExistingServer> = {}): { cloud: Cloud } {
  const server = { serverType: "cx43", location: "fsn1", isProtected: true, rebuild: undefined, dataGb: 100, ...over };
  return { cloud: { ...account, servers: { "host-1": server } } };
}

/** The settings of `settingsInput`, parsed. */
export function settings(over: Partial<SettingsInput> = {}): Settings {
  return parseSettings(settingsInput(over), "Pulumi.test.yaml");
}

/** A sound tenant with what the test is about on top. */
export function tenant(over: Partial<TenantInput> = {}): TenantInput {
  return { id: "acme", name: "Acme Plumbing", host: "laptop", port: 18801, ...over };
}

/** The repository's own skills library. */
export const library = readLibrary(new URL("../..", import.meta.url).pathname);

/** Everything a plan follows from; no secrets, no seeds, no past and no servers unless given. */
export function fleetInput(tenants: readonly unknown[], over: Partial<FleetInput> = {}): FleetInput {
  return { stack: "test", tenants, settings: settings(), secrets: {}, library, seeds: {}, past: { tenants: {}, retained: {} }, cloud: account, ...over };
}

/** Plans such a fleet. */
export function plan(tenants: readonly unknown[], over: Partial<FleetInput> = {}): Fleet {
  return planFleet(fleetInput(tenants, over));
}

/** Every tenant of a plan, whatever its host. */
export function tenantsOf(fleet: Fleet): PlannedTenant[] {
  return fleet.hosts.flatMap(({ tenants }) => tenants);
}

/** The one tenant of a plan that has this id. Throws when there is none. */
export function plannedTenant(fleet: Fleet, id = "acme"): PlannedTenant {
  return found(tenantsOf(fleet), id);
}

/** The one host of a plan that has this id. Throws when there is none. */
export function plannedHost(fleet: Fleet, id = "laptop"): PlannedHost {
  return found(fleet.hosts, id);
}

function found<T extends { id: string }>(all: readonly T[], id: string): T {
  const one = all.find((each) => each.id === id);
  if (one === undefined) throw new Error(`the plan has no "${id}"; it has ${all.map((each) => each.id).join(", ")}`);
  return one;
}

/** The mistakes that planning such a fleet reports, a line each. Fails when it reports none. */
export function mistakesOf(build: () => unknown): string[] {
  try {
    build();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "UserError") throw error;
    return error.message
      .split("\n")
      .filter((line) => line.startsWith("  - "))
      .map((line) => line.slice(4));
  }
  throw new Error("nothing was refused");
}
