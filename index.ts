import * as pulumi from "@pulumi/pulumi";

import { TenantStack } from "./components/index.ts";
import { planFleet } from "./plan/fleet.ts";
import { readCloud } from "./stack/cloud.ts";
import { readSecrets, readSettings, readTailscaleKey } from "./stack/config.ts";
import { readLibrary, readSeeds, readTenants } from "./stack/files.ts";
import { readPast } from "./stack/past.ts";
import { reported, shortenFailure } from "./stack/reported.ts";

const root = import.meta.dirname;
const stack = pulumi.getStack();
process.prependListener("unhandledRejection", shortenFailure);

const { fleet, secrets } = await reported(async () => {
  const settings = readSettings();
  const { names, values } = readSecrets(root);
  const [tenants, past, cloud] = await Promise.all([readTenants(root, stack), readPast(), readCloud(stack, settings)]);
  const planned = planFleet({ stack, tenants, settings, secrets: names, library: readLibrary(root), seeds: readSeeds(root), past, cloud });
  return { fleet: planned, secrets: values };
});

const created = new TenantStack(stack, { fleet, secrets, tailscaleKey: readTailscaleKey() });

/** Per tenant: id, url, host, port, container, status. */
export const tenants = created.tenants;
/** Per server at Hetzner: its addresses, and the host key that ssh is to believe. */
export const hosts = created.hosts;
/** Per tenant: token of the gateway and of its hooks. `pulumi stack output tokens --show-secrets` */
export const tokens = created.tokens;
/** When certificates end that do not renew themselves: Cloudflare's, where it stands in front. */
export const certificates = created.certificates;
/** Host of every removed tenant whose data is kept; the next run reads it. */
export const retained = fleet.retained;
