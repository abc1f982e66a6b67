import * as pulumi from "@pulumi/pulumi";

import { TenantStack } from "./components/index.ts";
import { planFleet } from "./plan/fleet.ts";
import { readSecrets, readSettings } from "./stack/config.ts";
import { readLibrary, readSeeds, readTenants } from "./stack/files.ts";
import { readPast } from "./stack/past.ts";
import { reported } from "./stack/reported.ts";

const root = import.meta.dirname;
const stack = pulumi.getStack();

const { fleet, secrets } = await reported(async () => {
  const { names, values } = readSecrets(root);
  const planned = planFleet({
    stack,
    tenants: await readTenants(root, stack),
    settings: readSettings(),
    secrets: names,
    library: readLibrary(root),
    seeds: readSeeds(root),
    past: await readPast(),
  });
  return { fleet: planned, secrets: values };
});

const created = new TenantStack(stack, { fleet, secrets });

/** Per tenant: id, url, host, port, container, status. */
export const tenants = created.tenants;
/** Per tenant: token of the gateway and of its hooks. `pulumi stack output tokens --show-secrets` */
export const tokens = created.tokens;
/** Host of every removed tenant whose data is kept; the next run reads it. */
export const retained = fleet.retained;
