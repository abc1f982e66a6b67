import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseCidr } from "../../plan/subnet.ts";
import { type Fleet, planFleet } from "../../plan/fleet.ts";
import type { PlannedTenant } from "../../plan/host.ts";
import { HEALTH_HOSTNAME } from "../../templates/caddyfile.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { roomy, secretsFor, tenantLists } from "../support/arbitraries.ts";
import { fleetInput, tenantsOf } from "../support/fleet.ts";

function planAll(tenants: readonly TenantInput[]): Fleet {
  return planFleet(fleetInput(tenants, { settings: roomy, secrets: secretsFor(tenants) }));
}

function expectUnique(values: readonly unknown[]): void {
  expect(values.filter((value, index) => values.indexOf(value) !== index)).toEqual([]);
}

/** A fleet's tenant without what follows from the author, who is one for all. */
function placeOf({ id, hostname, url, names, limits, port, webhookPort, subnet, gatewayIp, secrets }: PlannedTenant): unknown {
  return { id, hostname, url, names, limits, port, webhookPort, subnet, gatewayIp, secrets };
}

describe("any list the schema accepts", () => {
  it("gives every tenant ports of its own", () => {
    fc.assert(
      fc.property(tenantLists, (list) => {
        const fleet = planAll(list);
        const planned = tenantsOf(fleet);
        expect(planned).toHaveLength(list.length);
        expectUnique([
          ...planned.flatMap(({ port, webhookPort }) => [port, webhookPort ?? `${port} has no webhook`]),
          ...new Set(fleet.hosts.map(({ edge }) => edge.httpPort)),
        ]);
      }),
    );
  });

  it("gives every tenant a subnet of its own, inside the pool", () => {
    fc.assert(
      fc.property(tenantLists, (list) => {
        const pool = parseCidr(roomy.subnetPool);
        const ranges = tenantsOf(planAll(list))
          .map(({ subnet }) => parseCidr(subnet))
          .toSorted((a, b) => a.first - b.first);
        ranges.forEach(({ first, last }, index) => {
          expect(first).toBeGreaterThan(ranges[index - 1]?.last ?? pool.first - 1);
          expect(last).toBeLessThanOrEqual(pool.last);
        });
      }),
    );
  });

  it("gives every container, network and volume on a host a name of its own that Docker takes", () => {
    fc.assert(
      fc.property(tenantLists, (list) => {
        for (const { names, tenants } of planAll(list).hosts) {
          const all = tenants.map((tenant) => tenant.names);
          expectUnique([
            names.edge,
            names.load,
            names.skills,
            names.directories,
            names.certificates,
            ...all.flatMap((each) => [each.container, each.configContainer, each.directoriesContainer, each.prepareContainer]),
          ]);
          expectUnique([names.network, ...all.map(({ network }) => network)]);
          const volumes = [
            names.certificates,
            names.admin,
            names.caddyData,
            names.caddyConfig,
            names.skills,
            names.authored,
            ...all.flatMap((each) => [each.stateVolume, each.workspaceVolume, each.configVolume]),
          ];
          expectUnique(volumes);
          for (const name of [...Object.values(names), ...all.flatMap((each) => Object.values(each) as string[])])
            expect(name).toMatch(/^[a-zA-Z0-9][\w.-]{1,127}$/);
        }
      }),
    );
  });

  it("gives every tenant a hostname of its own, and none that of the health check", () => {
    fc.assert(
      fc.property(tenantLists, fc.constantFrom("example.com", "localhost", "internal", "health"), (list, domain) => {
        const planned = tenantsOf(planFleet(fleetInput(list, { settings: { ...roomy, domain }, secrets: secretsFor(list) })));
        expectUnique([HEALTH_HOSTNAME, ...planned.map(({ hostname }) => hostname)]);
        expectUnique(planned.map(({ url }) => url));
      }),
    );
  });

  it("moves nobody when tenants come or go", () => {
    fc.assert(
      fc.property(tenantLists, fc.infiniteStream(fc.boolean()), (list, stays) => {
        const fewer = list.filter(({ skills }) => skills?.author === true || stays.next().value === true);
        const after = tenantsOf(planAll(list));
        for (const tenant of tenantsOf(planAll(fewer))) expect(after).toContainEqual(tenant);
      }),
    );
  });

  it("orders the same servers, and makes a name for every tenant on one, whatever else there is", () => {
    const machines = planAll([]).hosts.map(({ machine }) => machine);
    expect(machines.filter((machine) => machine !== undefined)).toHaveLength(1);
    fc.assert(
      fc.property(tenantLists, (list) => {
        const { hosts, dns } = planAll(list);
        expect(hosts.map(({ machine }) => machine)).toEqual(machines);
        const named = hosts.filter(({ machine }) => machine !== undefined).flatMap(({ id, tenants }) => tenants.map(({ hostname }) => [hostname, id]));
        expect(dns?.names.map(({ hostname, host }) => [hostname, host])).toEqual(named);
      }),
    );
  });

  it("keeps every tenant's data in a directory of its own where there is a data volume", () => {
    fc.assert(
      fc.property(tenantLists, (list) => {
        const { hosts } = planAll(list);
        expectUnique(hosts.flatMap(({ tenants }) => tenants.flatMap(({ directory }) => directory ?? [])));
        for (const { directory: shared, tenants } of hosts)
          for (const { id, directory } of tenants) expect(directory).toBe(shared === undefined ? undefined : `/srv/openclaw/tenants/${id}`);
      }),
    );
  });

  it("places nobody by what neighbours say", () => {
    fc.assert(
      fc.property(tenantLists, (list) => {
        const alone = list.map((entry) => ({ ...entry, skills: { ...entry.skills, author: false, authored: false } }));
        const together = tenantsOf(planAll(alone));
        for (const entry of alone) expect(together.map(placeOf)).toContainEqual(tenantsOf(planAll([entry])).map(placeOf)[0]);
      }),
    );
  });

  it("gives equal bytes for equal input, whatever the order of the entries", () => {
    fc.assert(
      fc.property(tenantLists, (list) => {
        const [first, again, reversed] = [planAll(list), planAll(structuredClone(list)), planAll(list.toReversed())].map((fleet) => JSON.stringify(fleet));
        expect(again).toBe(first);
        expect(reversed).toBe(first);
      }),
    );
  });

  it("fits its gateways into their limits", () => {
    fc.assert(
      fc.property(tenantLists, (list) => {
        for (const { limits } of tenantsOf(planAll(list))) {
          expect(limits.memoryMb - limits.heapMb).toBeGreaterThanOrEqual(768);
          expect(limits.memoryMb).toBeGreaterThanOrEqual(1280);
          expect(limits.cpus).toBeGreaterThan(0);
          expect(limits.cpus).toBeLessThanOrEqual(8);
          expect(limits.pids).toBeGreaterThanOrEqual(128);
          expect(limits.heapMb).toBeGreaterThanOrEqual(384);
        }
      }),
    );
  });
});
