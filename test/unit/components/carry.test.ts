import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { FleetInput } from "../../../plan/parse.ts";
import { dockerHost, hetznerHost, hetznerSettings, tenant } from "../../support/fleet.ts";
import { recordFleet } from "../../support/record-fleet.ts";
import { findResource, valueOf } from "../../support/record.ts";

const hosts = {
  "host-1": hetznerHost(),
  "host-2": hetznerHost(),
  laptop: dockerHost(),
  spare: dockerHost({ endpoint: "ssh://root@spare.example.com" }),
} as const;

/** A move of the sound tenant, as the entry declares it. */
function moving(from: keyof typeof hosts, to: keyof typeof hosts): [unknown[], Partial<FleetInput>] {
  return [[tenant({ host: to, moveFrom: from })], { settings: hetznerSettings({ hosts }), past: { tenants: { acme: from }, retained: {} } }];
}

/** What takes Docker's place on every host: runs the steps of a move on a folder of the host's own, and takes note of them. */
const DOCKER = `#!/bin/sh
if [ "$1" = --host ]; then host=$2 && shift 2; fi
here=$ROOT/$(echo "\${host:-$FAKE_HOST}" | tr -c 'a-z0-9\\n' -)
if [ "$1" = ps ]; then
	echo "\${here##*/} $*" >> "$ROOT/log"
	cat "$here/running" 2>/dev/null || true
	exit
fi
while [ "$1" != -c ]; do
	case "$1" in
	--env) export "$2" ;;
	--volume) places="$places $2" ;;
	esac
	shift
done
echo "\${here##*/} $4$places" >> "$ROOT/log"
if [ -e "$here/fails-to-$4" ]; then echo "$4 has failed" >&2 && exit 9; fi
exec sh -c "$(printf '%s' "$2" | sed "s#/data#$here/data#g")" carry "$4"
`;
/** What takes the place of ssh: runs the command as the shell of that host would. */
const SSH = `#!/bin/sh
while [ "$1" = -o ]; do shift 2; done
FAKE_HOST=\${1#*@} exec sh -c "$2"
`;

describe("a tenant's move", () => {
  let root: string;
  const folderOf = (host: string): string =>
    join(root, { "host-1": "ipv4-of-host-1-ipv4", "host-2": "ipv4-of-host-2-ipv4", spare: "ssh---root-spare-example-com", laptop: "laptop" }[host] ?? host);
  const read = (host: string, path: string): string => readFileSync(join(folderOf(host), "data", path), "utf8");
  /** Steps by host, in the order they were taken. */
  const steps = (): string[] => (existsSync(join(root, "log")) ? readFileSync(join(root, "log"), "utf8").trim().split("\n") : []);

  /** Does what the engine does before it makes the tenant's first container on the new host. */
  async function carry(from: keyof typeof hosts, to: keyof typeof hosts): Promise<void> {
    const { hooks } = await recordFleet(...moving(from, to));
    await (hooks.get("acme-carry") ?? expect.fail("there is no such hook"))();
  }

  beforeEach(() => {
    vi.spyOn(pulumi.log, "info").mockResolvedValue();
    root = mkdtempSync(join(tmpdir(), "move-"));
    const bin = join(root, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "docker"), DOCKER, { mode: 0o755 });
    writeFileSync(join(bin, "ssh"), SSH, { mode: 0o755 });
    vi.stubEnv("PATH", `${bin}${delimiter}${process.env["PATH"] ?? ""}`);
    vi.stubEnv("ROOT", root);
    vi.stubEnv("FAKE_HOST", "laptop");
    vi.stubEnv("DOCKER_HOST", undefined);
    for (const host of Object.keys(hosts)) for (const part of ["state", "workspace"]) mkdirSync(join(folderOf(host), "data", part), { recursive: true });
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    rmSync(root, { recursive: true });
  });

  function fill(host: keyof typeof hosts): void {
    writeFileSync(join(folderOf(host), "data/state/.openclaw-tenant"), "uuid-of-acme-owner");
    writeFileSync(join(folderOf(host), "data/workspace/it's $HOME"), "mine");
  }

  it("is made before anything on the new host uses the data, and only where it is declared", async () => {
    const hooksOf = async (...args: Parameters<typeof recordFleet>): Promise<readonly string[]> => {
      const { resources } = await recordFleet(...args);
      const others = resources.filter(({ name, options }) => name !== "acme-prepare" && options.beforeCreate.length > 0);
      expect(others).toEqual([]);
      return findResource(resources, "Container", "acme-prepare").options.beforeCreate;
    };
    const settings = hetznerSettings({ hosts });
    expect(await hooksOf(...moving("host-1", "host-2"))).toEqual(["acme-carry"]);
    expect(await hooksOf([tenant({ host: "host-2" })], { settings })).toEqual([]);
    // The word may stay, and the host that it names go, once it has moved.
    const past = { tenants: { acme: "host-2" }, retained: {} };
    for (const moveFrom of ["host-1", "host-0"]) expect(await hooksOf([tenant({ host: "host-2", moveFrom })], { settings, past })).toEqual([]);
  });

  it("goes from directory to directory, for the volumes of the old host are gone by then", async () => {
    fill("host-1");
    await carry("host-1", "host-2");
    const directories = "/srv/openclaw/tenants/acme/state:/data/state /srv/openclaw/tenants/acme/workspace:/data/workspace";
    const [old, fresh] = ["ipv4-of-host-1-ipv4", "ipv4-of-host-2-ipv4"];
    expect(steps().filter((step) => !/ (send|receive) /.test(step))).toEqual([
      `${fresh} look ${directories}`,
      `${old} ps --quiet --filter name=^openclaw-test-acme$`,
      `${fresh} clear ${directories}`,
      `${old} leave ${directories}`,
      `${fresh} settle ${directories}`,
    ]);
    // These two run side by side.
    expect(steps().slice(3, 5).toSorted()).toEqual([`${old} send ${directories}`, `${fresh} receive ${directories}`].toSorted());
    expect(read("host-2", "workspace/it's $HOME")).toBe("mine");
    expect([read("host-1", "state/.openclaw-tenant"), read("host-2", "state/.openclaw-tenant")]).toEqual(["left:uuid-of-acme-owner", "uuid-of-acme-owner"]);
  });

  it.each([
    ["laptop", "host-1"],
    ["host-1", "spare"],
    ["spare", "laptop"],
  ] as const)("goes from %s to %s, each in its own way", async (from, to) => {
    fill(from);
    await carry(from, to);
    expect(read(to, "workspace/it's $HOME")).toBe("mine");
    const placesOf = (host: string): string =>
      host.startsWith("host-") ? "/srv/openclaw/tenants/acme/state:/data/state" : "openclaw-test-acme.state:/data/state";
    expect(steps().find((step) => step.includes(" send "))).toContain(placesOf(from));
    expect(steps().find((step) => step.includes(" receive "))).toContain(placesOf(to));
  });

  it("is remembered only once the data has come, so that a move that fails is not forgotten", async () => {
    const isKnown = async (arrives: boolean): Promise<unknown> => {
      const over = arrives ? {} : { over: { "docker:index/container:Container": () => ({}) } };
      const { value } = await recordFleet(...moving("host-1", "host-2"), { isPreview: true, ...over });
      const { host } = value.tenants["acme"] ?? {};
      return pulumi.Output.isInstance(host) ? await (host as unknown as { isKnown: Promise<boolean> }).isKnown : "it is plain";
    };
    expect([await isKnown(true), await isKnown(false)]).toEqual([true, false]);
    const { value } = await recordFleet(...moving("host-1", "host-2"));
    expect(await valueOf(value.tenants)).toMatchObject({ acme: { host: "host-2" } });
  });

  it("asks the old host nothing once the data is there", async () => {
    fill("host-2");
    await carry("host-1", "host-2");
    expect(steps()).toEqual([expect.stringMatching(/^ipv4-of-host-2-ipv4 look /)]);
  });

  it("waits for nobody who still runs on the old host, but stops", async () => {
    fill("host-1");
    writeFileSync(join(folderOf("host-1"), "running"), "0123456789ab\n");
    await expect(carry("host-1", "host-2")).rejects.toThrow('tenant "acme" still runs on the host it leaves; stop container openclaw-test-acme there');
    expect(steps()).toHaveLength(2);
  });

  it("says why it fails, and leaves the data on the old host for the next try", async () => {
    await expect(carry("host-1", "host-2")).rejects.toThrow(/^the data could not be carried over: its data is not on the host it shall move from/);
    fill("host-1");
    writeFileSync(join(folderOf("host-2"), "fails-to-receive"), "");
    await expect(carry("host-1", "host-2")).rejects.toThrow(/^the data could not be carried over: receive has failed/);
    expect(read("host-1", "state/.openclaw-tenant")).toBe("uuid-of-acme-owner");
    expect(steps().some((step) => / (leave|settle) /.test(step))).toBe(false);

    rmSync(join(folderOf("host-2"), "fails-to-receive"));
    await carry("host-1", "host-2");
    expect(read("host-2", "workspace/it's $HOME")).toBe("mine");
  });
});
