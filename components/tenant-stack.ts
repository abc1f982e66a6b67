import * as pulumi from "@pulumi/pulumi";

import type { Fleet } from "../plan/fleet.ts";
import { Edge } from "./edge.ts";
import { Gateway } from "./gateway.ts";
import { Host } from "./host.ts";

export interface TenantStackArgs {
  /** The fully decided plan. */
  fleet: Fleet;
  /** Values of all tenants' secrets: by tenant, then by name. Secret. */
  secrets: pulumi.Output<Record<string, Record<string, string>>>;
}

/** What the operator's commands need to know of one tenant. */
export interface TenantOutput {
  id: string;
  url: string;
  host: string;
  port: number;
  container: string;
  status: string;
}

/** A whole fleet: every host, its Caddy, and one gateway per tenant. */
export class TenantStack extends pulumi.ComponentResource {
  /** Every tenant by id; plain, from the plan. */
  readonly tenants: Readonly<Record<string, TenantOutput>>;
  /** Both tokens of every tenant by id. Secret. */
  readonly tokens: pulumi.Output<Record<string, { gateway: string; hooks: string }>>;

  constructor(name: string, args: TenantStackArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openclaw:index:TenantStack", name, {}, opts);
    const { fleet, secrets } = args;
    const { stack, startTimeoutSeconds } = fleet;
    const tenants: Record<string, TenantOutput> = {};
    const tokens: Record<string, { gateway: pulumi.Output<string>; hooks: pulumi.Output<string> }> = {};

    for (const planned of fleet.hosts) {
      const host = new Host(planned.id, { stack, host: planned, caddyImage: fleet.caddyImage }, { parent: this });
      const onHost: pulumi.ComponentResourceOptions = { parent: this, providers: [host.provider] };
      // Routes follow from the plan alone: one sick tenant holds back nobody's.
      new Edge(planned.id, { stack, host: planned, image: host.caddyImage }, onHost);

      for (const tenant of planned.tenants) {
        const image = host.images[tenant.image];
        if (image === undefined) throw new Error(`image ${tenant.image} of tenant ${tenant.id} was not planned for host ${planned.id}`);
        const gateway = new Gateway(
          tenant.id,
          {
            stack,
            tenant,
            image,
            startTimeoutSeconds,
            endpoint: planned.settings.endpoint,
            skills: host.skills,
            ...(tenant.authored === "none" ? {} : { authored: host.authored }),
            secrets: secrets.apply((all) => all[tenant.id] ?? {}),
          },
          onHost,
        );
        tenants[tenant.id] = { id: tenant.id, url: tenant.url, host: planned.id, port: tenant.port, container: tenant.names.container, status: tenant.status };
        tokens[tenant.id] = { gateway: gateway.token, hooks: gateway.hooksToken };
      }
    }

    this.tenants = tenants;
    this.tokens = pulumi.secret(pulumi.output(tokens));
    this.registerOutputs();
  }
}
