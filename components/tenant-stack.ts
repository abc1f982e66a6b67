import * as pulumi from "@pulumi/pulumi";

import type { Fleet } from "../plan/fleet.ts";
import { directoryOf, type PlannedHost, type PlannedTenant } from "../plan/host.ts";
import type { Connection } from "./connection.ts";
import { Dns } from "./dns.ts";
import { Edge } from "./edge.ts";
import { explainTaken } from "./explain-taken.ts";
import { Gateway } from "./gateway.ts";
import { HetznerCommon } from "./hetzner-common.ts";
import { HetznerHost } from "./hetzner-host.ts";
import { Host } from "./host.ts";
import { OriginCertificate } from "./origin-certificate.ts";

export interface TenantStackArgs {
  /** The fully decided plan. */
  fleet: Fleet;
  /** Values of all tenants' secrets: by tenant, then by name. Secret. */
  secrets: pulumi.Output<Record<string, Record<string, string>>>;
  /** Admits servers to the operator's tailnet. Secret. Absent: they have joined, or shall not. */
  tailscaleKey?: pulumi.Output<string> | undefined;
}

/** What the operator's commands need to know of one tenant. */
export interface TenantOutput {
  id: string;
  url: string;
  /** The host that has its data: while it moves, the old one until all of it is on the new one. */
  host: pulumi.Input<string>;
  port: number;
  container: string;
  status: string;
}

/** What they need to know of one server. */
export interface HostOutput {
  ipv4: pulumi.Output<string>;
  ipv6: pulumi.Output<string>;
  /** Where ssh goes: the IPv4 address, or the one in the tailnet. */
  address: pulumi.Input<string>;
  /** The host key that ssh is to believe, as in a known_hosts file. */
  hostKey: pulumi.Output<string>;
  serverType: string;
  protected: boolean;
}

/** One host as everything on it is made. */
interface Place {
  planned: PlannedHost;
  connection: Connection;
  machine: HetznerHost | undefined;
  host: Host;
  opts: pulumi.ComponentResourceOptions;
}

/** A whole fleet: every host, its Caddy, one gateway per tenant, and the names that lead to them. */
export class TenantStack extends pulumi.ComponentResource {
  /** Every tenant by id; from the plan, but for the host of one that moves. */
  readonly tenants: Readonly<Record<string, TenantOutput>>;
  /** Every server at Hetzner by host. */
  readonly hosts: Readonly<Record<string, HostOutput>>;
  /** Both tokens of every tenant by id. Secret. */
  readonly tokens: pulumi.Output<Record<string, { gateway: string; hooks: string }>>;
  /** When certificates end that do not renew themselves, by name. */
  readonly certificates: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: TenantStackArgs, opts?: pulumi.ComponentResourceOptions) {
    const { fleet } = args;
    super("openclaw:index:TenantStack", name, {}, { ...opts, transformations: [...(opts?.transformations ?? []), explainTaken(fleet.stack)] });
    const { stack, dns, origin, hetzner, operators } = fleet;

    const common = fleet.hosts.some(({ machine }) => machine !== undefined)
      ? new HetznerCommon(name, { stack, operators, hetzner }, { parent: this })
      : undefined;
    const certificate =
      dns === undefined || origin === undefined ? undefined : new OriginCertificate(`${name}-origin`, { zoneId: dns.zoneId, ...origin }, { parent: this });
    const places = new Map(fleet.hosts.map((planned) => [planned.id, this.#makePlace(planned, args, common)]));
    for (const { planned, host, connection, opts: onHost } of places.values()) {
      const { image, prepared } = { image: host.caddyImage, prepared: host.prepared };
      const certificates = planned.edge.tls === "origin" ? certificate?.files : undefined;
      // Routes follow from the plan alone: one sick tenant holds back nobody's.
      new Edge(planned.id, { stack, host: planned, image, connection, certificates, prepared }, onHost);
    }

    const gateways = [...places.values()].flatMap((place) =>
      place.planned.tenants.map((tenant) => ({ place, tenant, gateway: makeGateway(tenant, place, places, args) })),
    );
    for (const planned of dns?.names ?? []) {
      const machine = places.get(planned.host)?.machine;
      if (dns === undefined || machine === undefined) throw new Error(`name ${planned.hostname} points to host ${planned.host}, which is no server`);
      const { ipv4, ipv6 } = machine;
      new Dns(planned.id, { zoneId: dns.zoneId, isProxied: dns.isProxied, planned, ipv4, ipv6 }, { parent: this });
    }

    this.tenants = Object.fromEntries(
      gateways.map(({ place, tenant: { id, url, port, names, status, moveFrom }, gateway: { prepared } }) => {
        const host = place.planned.id;
        // The next run takes it from here: were it known before the data came, a move that failed would be forgotten.
        const arrived = moveFrom === undefined || prepared === undefined ? host : prepared.apply(() => host);
        return [id, { id, url, host: arrived, port, container: names.container, status }];
      }),
    );
    this.hosts = Object.fromEntries(
      [...places.values()].flatMap(({ planned, machine }) => (machine === undefined ? [] : [[planned.id, describe(planned, machine)]])),
    );
    this.tokens = pulumi.secret(
      pulumi.output(Object.fromEntries(gateways.map(({ tenant: { id }, gateway: { token, hooksToken } }) => [id, { gateway: token, hooks: hooksToken }]))),
    );
    this.certificates = certificate === undefined ? {} : { origin: certificate.expiresOn };
    this.registerOutputs();
  }

  /** The machine, where it has to be ordered, and what every tenant on it shares. */
  #makePlace(planned: PlannedHost, { fleet, tailscaleKey }: TenantStackArgs, common: HetznerCommon | undefined): Place {
    const { stack, caddyImage, operators } = fleet;
    const machine =
      planned.machine === undefined
        ? undefined
        : new HetznerHost(
            planned.id,
            {
              machine: planned.machine,
              operatorKeys: Object.values(operators).toSorted(),
              sshKeys: common?.sshKeys ?? [],
              subnet: common?.subnet,
              placementGroup: common?.placementGroup,
              tailscaleKey: planned.machine.settings.tailscale === undefined ? undefined : tailscaleKey,
            },
            { parent: this },
          );
    const connection = machine?.connection ?? { endpoint: planned.endpoint };
    const tied = { transformations: [tieTo(planned.id, machine)] };
    const host = new Host(planned.id, { stack, host: planned, caddyImage, connection }, { parent: this, ...tied });
    return { planned, connection, machine, host, opts: { parent: this, providers: [host.provider], ...tied } };
  }
}

function makeGateway(tenant: PlannedTenant, { planned, connection, host, opts }: Place, places: ReadonlyMap<string, Place>, args: TenantStackArgs): Gateway {
  const { stack, startTimeoutSeconds, caddyImage } = args.fleet;
  const image = host.images[tenant.image];
  if (image === undefined) throw new Error(`image ${tenant.image} of tenant ${tenant.id} was not planned for host ${planned.id}`);
  const source = tenant.moveFrom === undefined ? undefined : places.get(tenant.moveFrom);
  return new Gateway(
    tenant.id,
    {
      stack,
      tenant,
      image,
      startTimeoutSeconds,
      connection,
      carry:
        source === undefined
          ? undefined
          : { from: { connection: source.connection, directory: directoryOf(source.planned.directory, tenant.id) }, image: caddyImage },
      skills: host.skills,
      ...(tenant.authored === "none" ? {} : { authored: host.authored }),
      secrets: args.secrets.apply((all) => all[tenant.id] ?? {}),
    },
    opts,
  );
}

/**
 * Ties everything that Docker has on a host to it. When a tenant moves it goes there and is made again here: to the engine another provider of the
 * same kind is no change. It goes unasked when its server goes, and is made again on a new one, which answers at the old one's address: what was
 * on the old one must be gone before, for deleted afterwards it would be the new one's.
 */
function tieTo(host: string, machine: HetznerHost | undefined): pulumi.ResourceTransformation {
  const tie = {
    replacementTrigger: host,
    // Not with the server itself: to the engine one that is replaced is not deleted, and it would ask Docker to delete all of this, in any order.
    ...(machine === undefined ? {} : { deletedWith: machine.attachment, replaceWith: [machine.server], deleteBeforeReplace: true }),
  };
  return ({ type, props, opts }) => (type.startsWith("docker:") ? { props, opts: { ...opts, ...tie } } : undefined);
}

function describe({ machine }: PlannedHost, { ipv4, ipv6, hostKey }: HetznerHost): HostOutput {
  return {
    ipv4,
    ipv6,
    address: machine?.settings.tailscale?.address ?? ipv4,
    hostKey,
    serverType: machine?.settings.serverType ?? "",
    protected: machine?.settings.protected ?? false,
  };
}
