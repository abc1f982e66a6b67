import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { parse } from "yaml";

import type { FleetInput } from "../../../plan/parse.ts";
import { roomy, secretsFor, tenantLists } from "../../support/arbitraries.ts";
import { account, hetznerSettings, OPERATOR_KEY, running, tenant, withServer } from "../../support/fleet.ts";
import { canary, recordFleet, TAILSCALE_KEY } from "../../support/record-fleet.ts";
import { findResource, numberOf, privatePartOf, publicKeyOf, type Registered, tokenOf, valueOf } from "../../support/record.ts";

async function recordHost(over: Partial<FleetInput> = {}, tenants: readonly unknown[] = []): Promise<Registered[]> {
  const { resources } = await recordFleet(tenants, { settings: hetznerSettings(), ...over });
  return resources;
}

const serverOf = (resources: readonly Registered[]): Registered => findResource(resources, "Server", "host-1-server");
const userDataOf = (resources: readonly Registered[]): string => serverOf(resources).inputs["userData"] as string;
/** Said in every preview; the tests' own output is better without. */
let warn: MockInstance<typeof pulumi.log.warn>;

beforeEach(() => {
  warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
});

afterEach(() => {
  warn.mockRestore();
});

const labels = { "openclaw-tenants.stack": "test", "openclaw-tenants.role": "host", "openclaw-tenants.host": "host-1" };

describe("a server at Hetzner", () => {
  it("is ordered with its firewall, addresses and labels, and keeps what is expensive to lose", async () => {
    const { inputs, options } = serverOf(await recordHost());
    expect(inputs).toEqual({
      name: "openclaw-test-host-1",
      serverType: "cx43",
      image: "ubuntu-24.04",
      location: "fsn1",
      userData: expect.stringMatching(/^#cloud-config\n/) as string,
      sshKeys: [String(numberOf("operator-ann"))],
      firewallIds: [numberOf("host-1-firewall")],
      publicNets: [{ ipv4Enabled: true, ipv4: numberOf("host-1-ipv4"), ipv6Enabled: true, ipv6: numberOf("host-1-ipv6") }],
      backups: true,
      deleteProtection: true,
      rebuildProtection: true,
      shutdownBeforeDeletion: true,
      keepDisk: true,
      labels,
    });
    // Its name, addresses and volume belong to one server at a time.
    expect(options.deleteBeforeReplace).toBe(true);
    expect(options.retainOnDelete).toBe(false);
  });

  it("is in the firewall before it boots, which nothing attaches to it later", async () => {
    const resources = await recordHost();
    expect(resources.filter(({ type }) => type.includes("irewallAttachment"))).toEqual([]);
    expect(findResource(resources, "Firewall", "host-1-firewall").inputs["rules"]).toEqual([
      { direction: "in", protocol: "tcp", port: "22", sourceIps: ["203.0.113.7/32"], description: "ssh" },
      { direction: "in", protocol: "tcp", port: "80", sourceIps: account.proxyRanges.toSorted(), description: "http" },
      { direction: "in", protocol: "tcp", port: "443", sourceIps: account.proxyRanges.toSorted(), description: "https" },
      { direction: "in", protocol: "icmp", sourceIps: ["0.0.0.0/0", "::/0"], description: "ping" },
    ]);
  });

  it.each([true, false])("is guarded with its addresses, volume and key, here and at Hetzner, as the settings say: %s", async (isProtected) => {
    const resources = await recordHost(withServer({ protected: isProtected }));
    const guarded = [
      serverOf(resources),
      findResource(resources, "Volume", "host-1-data"),
      findResource(resources, "PrimaryIp", "host-1-ipv4"),
      findResource(resources, "PrimaryIp", "host-1-ipv6"),
      findResource(resources, "PrivateKey", "host-1-host-key"),
    ];
    expect(guarded.map(({ name, options }) => [name, options.protect])).toEqual(guarded.map(({ name }) => [name, isProtected]));
    for (const { name, inputs } of guarded.slice(0, 4)) expect(inputs["deleteProtection"], name).toBe(isProtected);
    expect(serverOf(resources).inputs["rebuildProtection"]).toBe(isProtected);
  });

  it.each([true, false])("leaves its addresses and its volume when it goes, protected or not: %s", async (isProtected) => {
    const resources = await recordHost(withServer({ protected: isProtected }));
    const kept = resources.filter(({ options }) => options.retainOnDelete).map(({ type, name }) => `${type.split(":").at(-1) ?? ""} ${name}`);
    expect(kept.toSorted()).toEqual(["PrimaryIp host-1-ipv4", "PrimaryIp host-1-ipv6", "Volume host-1-data", "VolumeAttachment host-1-data"]);
    for (const type of ["ipv4", "ipv6"]) expect(findResource(resources, "PrimaryIp", `host-1-${type}`).inputs["autoDelete"]).toBe(false);
  });

  it("is never built anew for another image, key or user data while it runs", async () => {
    const { options } = serverOf(await recordHost(running()));
    expect(options.ignoreChanges.toSorted()).toEqual(["image", "sshKeys", "userData"]);
  });

  it("is built from today's image, keys and user data when a rebuild is asked for", async () => {
    const over = { ...withServer({ protected: false, rebuild: "2026-12-24" }), ...running({ isProtected: false, rebuild: "2025-12-24" }) };
    const resources = await recordHost(over);
    expect(serverOf(resources).options.ignoreChanges).toEqual([]);
    expect(userDataOf(resources)).toContain("2026-12-24");
    expect(serverOf(resources).inputs["labels"]).toEqual({ ...labels, "openclaw-tenants.rebuild": "2026-12-24" });
  });

  it("is built once for a word", async () => {
    const over = { ...withServer({ protected: false, rebuild: "2026-12-24" }), ...running({ isProtected: false, rebuild: "2026-12-24" }) };
    expect(serverOf(await recordHost(over)).options.ignoreChanges).toHaveLength(3);
  });

  it("is built from today's as well when the run that should have built it was broken off", async () => {
    // The engine still has the old one's inputs, and would take what it ignores from there.
    const over = withServer({ protected: false, rebuild: "2026-12-24" });
    expect(serverOf(await recordHost(over)).options.ignoreChanges).toEqual([]);
  });

  it("has its rebuild, and the lack of a guard, told in every preview", async () => {
    await recordHost();
    expect(warn).not.toHaveBeenCalled();
    await recordHost({ ...withServer({ protected: false, rebuild: "2026-12-24" }), ...running({ isProtected: false }) });
    expect(warn.mock.calls.map(([words]) => words)).toEqual([
      expect.stringMatching(/^host "host-1" is BUILT ANEW: /),
      expect.stringMatching(/^host "host-1" is not protected: .*volume openclaw-test-host-1 and addresses openclaw-test-host-1-ipv4 and -ipv6/),
    ]);
  });

  it("mounts the volume that was made for it", async () => {
    const resources = await recordHost(withServer({ dataGb: 250 }));
    const { mounts } = parse(userDataOf(resources)) as { mounts: string[][] };
    expect(mounts.map(([device]) => device)).toEqual([`/dev/disk/by-id/scsi-0HC_Volume_${numberOf("host-1-data")}`]);
    expect(findResource(resources, "Volume", "host-1-data").inputs).toMatchObject({ size: 250, location: "fsn1", format: "ext4" });
    const { inputs, options } = findResource(resources, "VolumeAttachment", "host-1-data");
    expect(inputs).toEqual({ volumeId: numberOf("host-1-data"), serverId: numberOf("host-1-server"), automount: false });
    expect(options).toMatchObject({ deletedWith: expect.stringMatching(/::host-1-server$/) as string, deleteBeforeReplace: true });
  });

  it("is told its own key and nothing else that is secret", async () => {
    const list = [tenant({ host: "host-1", env: ["NOTION_API_KEY"] })];
    const over = { ...withServer({ tailscale: {} }), secrets: { acme: ["NOTION_API_KEY"] } };
    const { resources } = await recordFleet(list, over, { hasTailscaleKey: true });
    const userData = userDataOf(resources);
    expect(userData).toContain(privatePartOf("host-1-host-key"));
    expect(userData).toContain(OPERATOR_KEY);
    for (const secret of [canary("acme", "NOTION_API_KEY"), tokenOf("acme-token"), tokenOf("acme-hooks-token"), TAILSCALE_KEY])
      expect(userData).not.toContain(secret);
    // As the engine keeps it.
    expect(serverOf(resources).sealed).toMatchObject({ userData: "[secret]" });
    for (const { name, sealed } of resources) expect(JSON.stringify(sealed), name).not.toContain(privatePartOf("host-1-host-key"));
  });

  it("has operators' keys at Hetzner under names that are new with a new key, which is made before the old one goes", async () => {
    const keyOf = async (publicKey: string): Promise<unknown> =>
      findResource(await recordHost(withServer({}, { operators: { ann: publicKey } })), "SshKey", "operator-ann").inputs;
    const before = await keyOf(OPERATOR_KEY);
    const after = await keyOf(OPERATOR_KEY.replace("AGvJo8", "BGvJo8"));
    expect(before).toMatchObject({ publicKey: OPERATOR_KEY, name: expect.stringMatching(/^openclaw-test-ann-[0-9a-f]{12}$/) as string });
    expect((after as { name: string }).name).not.toBe((before as { name: string }).name);
    expect(await keyOf(OPERATOR_KEY)).toEqual(before);
  });

  it("joins the private network and the placement group that the settings ask for, and keeps tenants out of the network", async () => {
    const resources = await recordHost(withServer({}, { hetzner: { network: { ipRange: "10.20.0.0/24" }, spread: true } }));
    expect(serverOf(resources).inputs).toMatchObject({ networks: [{ subnetId: String(numberOf("test-subnet")) }], placementGroupId: numberOf("test-spread") });
    expect(findResource(resources, "NetworkSubnet", "test-subnet").inputs).toEqual({
      networkId: numberOf("test-network"),
      type: "cloud",
      networkZone: "eu-central",
      ipRange: "10.20.0.0/24",
    });
    expect(findResource(resources, "PlacementGroup", "test-spread").inputs["type"]).toBe("spread");
    expect(userDataOf(resources)).toContain('private4="10.20.0.0/24"');
  });

  it("carries the stack's label in everything that can carry one, as does everything it shares", async () => {
    const resources = await recordHost(withServer({}, { hetzner: { network: { ipRange: "10.20.0.0/24" }, spread: true } }));
    const labelled = resources.filter(({ type }) => type.startsWith("hcloud:") && !/:(NetworkSubnet|VolumeAttachment)$/.test(type));
    expect(labelled.map(({ type }) => type.split(":").at(-1)).toSorted()).toEqual(
      ["Firewall", "Network", "PlacementGroup", "PrimaryIp", "PrimaryIp", "Server", "SshKey", "Volume"].toSorted(),
    );
    for (const { name, inputs } of labelled)
      expect(inputs["labels"], name).toEqual(name.startsWith("host-1-") ? labels : { "openclaw-tenants.stack": "test", "openclaw-tenants.role": "common" });
  });
});

describe("a server and its tenants", () => {
  it("have nothing to do with each other: no entry changes anything of a server", async () => {
    const machineOf = (resources: readonly Registered[]): Registered[] =>
      resources.filter(({ type, options }) => /:Hetzner(Host|Common)$/.test(type) || /:Hetzner(Host|Common)::/.test(options.parent));
    const { resources: none } = await recordFleet([], { settings: roomy });
    expect(machineOf(none).length).toBeGreaterThan(10);
    await fc.assert(
      fc.asyncProperty(tenantLists, async (list) => {
        const { resources } = await recordFleet(list, { settings: roomy, secrets: secretsFor(list) });
        expect(machineOf(resources)).toEqual(machineOf(none));
      }),
      { numRuns: 15 },
    );
  });
});

describe("what operators' commands learn of a server", () => {
  it("is where it is, what key it has and whether it is guarded", async () => {
    const { value } = await recordFleet([], { settings: hetznerSettings() });
    expect(await valueOf(value.hosts)).toEqual({
      "host-1": {
        address: "ipv4 of host-1-ipv4",
        ipv4: "ipv4 of host-1-ipv4",
        // The first of the network's addresses.
        ipv6: "ipv6 of host-1-ipv6::1",
        hostKey: publicKeyOf("host-1-host-key"),
        serverType: "cx43",
        protected: true,
      },
    });
  });
});
