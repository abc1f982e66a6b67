import { join } from "node:path";

import { expect, it } from "vitest";

import { hetznerHosts, NO_CLOUD } from "../../plan/cloud.ts";
import { parseSettings } from "../../plan/settings.ts";
import { readTenants } from "../../stack/files.ts";
import { findStackFile } from "../../stack/stack-file.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { secretsFor } from "../support/arbitraries.ts";
import { plan } from "../support/fleet.ts";

const root = join(import.meta.dirname, "..", "..");

it("Pulumi.prod.yaml has room for the tenants of its list", async () => {
  const tenants = await readTenants(root, "prod");
  const settings = parseSettings(findStackFile(root, "prod")?.settings, "Pulumi.prod.yaml");
  // As it runs: what Hetzner sells today is not the file's affair.
  const servers = Object.fromEntries(hetznerHosts(settings).map(([id, { rebuild, ...host }]) => [id, { ...host, rebuild, isProtected: true }]));
  const secrets = secretsFor(tenants as TenantInput[]);
  expect(() => plan(tenants, { stack: "prod", settings, secrets, cloud: { ...NO_CLOUD, servers } })).not.toThrow();
});
