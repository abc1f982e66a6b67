import * as pulumi from "@pulumi/pulumi";

import { TenantStack } from "../../components/index.ts";
import type { FleetInput } from "../../plan/parse.ts";
import type { SecretNames } from "../../plan/secrets.ts";
import { plan } from "./fleet.ts";
import { record, type Recorded, type RecordOptions } from "./record.ts";

/** The value that a tenant's secret has in tests: long and unlike anything else, so that a leak is found. */
export const canary = (id: string, name: string): string => `canary-${id}-${name}`;

/** The key that admits servers to a tailnet, where a test has one. */
export const TAILSCALE_KEY = "canary-of-the-tailnet";

/** Registers a whole fleet against mocks. Every secret it names has a canary for a value. */
export async function recordFleet(
  tenants: readonly unknown[],
  over: Partial<FleetInput> = {},
  { hasTailscaleKey = false, ...options }: RecordOptions & { hasTailscaleKey?: boolean } = {},
): Promise<Recorded<TenantStack>> {
  const fleet = plan(tenants, over);
  const tailscaleKey = hasTailscaleKey ? pulumi.secret(TAILSCALE_KEY) : undefined;
  return record(() => new TenantStack("test", { fleet, secrets: pulumi.secret(valuesOf(over.secrets ?? {})), tailscaleKey }), options);
}

function valuesOf(names: SecretNames): Record<string, Record<string, string>> {
  return Object.fromEntries(Object.entries(names).map(([id, all]) => [id, Object.fromEntries(all.map((name) => [name, canary(id, name)]))]));
}
