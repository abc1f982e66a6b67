import { execa } from "execa";
import { beforeAll, expect, it } from "vitest";

import { nameHost, nameMachine } from "../../plan/names.ts";
import { findServerLack } from "../standin/machine/lack.ts";
import { linkOf, OUTSIDE } from "../standin/machine/network.ts";
import { namespaceOf } from "../standin/machine/world.ts";
import { powerCycle } from "../standin/machine.ts";
import { clientOn, DOMAIN } from "../support/cloud-project.ts";
import { bearer } from "../support/http.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { KNOCK, type Knock, knockFrom, listenAt, type Place } from "../support/network.ts";
import { type CloudFleet, networkOf, type Question, startCloudFleet } from "./cloud-fleet.ts";

const DEADLINE = { timeout: 240_000, interval: 500 };
const NOTE = "/home/node/.openclaw/workspace/note";
const METADATA = "169.254.169.254";
/** Somebody in the hosts' private network, and at an address of the kind that those have by IPv6. */
const NEIGHBOUR = { ipv4: "10.20.0.9", ipv6: "fd00:20::9" };
/** Tenants have no IPv6. These two stand for tenants that had, each in a network of its own. */
const WITH_IPV6 = { asking: "2001:db8:a", asked: "2001:db8:b" };
/** What a host has listening: ssh, Caddy with its tunnels' port, what might be there one day. */
const SERVED = [22, 80, 443];
const FURTHER = [2019, 2375, 8080, 9100, 18789];

describeWhere("a tenant on a server", findMachine().missing ?? findServerLack(), () => {
  let fleet: CloudFleet;
  const docker = async (...args: string[]): Promise<string> => fleet.project.dockerOn("host-1")(...args);
  const addressOf = async (tenant: string, field: "Gateway" | "IPAddress"): Promise<string> => {
    const { host = "", container = "" } = fleet.tenants[tenant] ?? {};
    return (await fleet.project.dockerOn(host)("inspect", "--format", `{{range .NetworkSettings.Networks}}{{.${field}}}{{end}}`, container)).trim();
  };
  const openOf = (answers: Record<string, Knock>): string[] => Object.keys(answers).filter((address) => answers[address] === "open");
  /** Changes with every start of a container on the first host. */
  const started = async (): Promise<string[]> => {
    const containers = ["acme", "globex"].map((tenant) => fleet.tenants[tenant]?.container ?? "");
    const edge = nameHost(fleet.project.stack, "host-1").edge;
    return (await docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", ...containers, edge)).trim().split("\n");
  };
  const statusOf = async (name: string, path: string, more: Partial<Question> = {}): Promise<number> =>
    (await fleet.ask({ url: `https://${name}.${DOMAIN}${path}`, host: "host-1", ...more })).status;
  const wake = async (tenant: string): Promise<number> =>
    statusOf(tenant, "/hooks/wake", { body: { text: "hello" }, headers: bearer(fleet.tokens[tenant]?.hooks ?? "") });

  /** Makes the world that only this test has, and what of it a power cut takes along. */
  const arrange = async (): Promise<void> => {
    const { project, hosts } = fleet;
    const [router, client] = [namespaceOf(project.world, "router"), namespaceOf(project.world, "client")];
    const cable = linkOf(nameMachine(project.stack, "host-1"));
    for (const address of Object.values(NEIGHBOUR)) {
      await execa("ip", ["-n", client, "address", "replace", address, "dev", "eth0"]);
      await execa("ip", ["-n", router, "route", "replace", address, "dev", "client"]);
    }
    for (const network of Object.values(WITH_IPV6))
      await execa("ip", ["-n", router, "route", "replace", `${network}::/64`, "via", hosts["host-1"]?.ipv6 ?? "", "dev", cable, "onlink"]);
    // A new IPv6 address is not anybody's for a second.
    await expect.poll(() => project.onHost("host-1", "ip -6 address show tentative"), DEADLINE).toBe("");
  };

  /** Nothing that is not the tenant's business answers it, though somebody listens there and answers whoever may ask; the world does. */
  const expectIsolation = async (version: "ipv4" | "ipv6"): Promise<void> => {
    const { project, hosts } = fleet;
    const at = (address: string, ...ports: number[]): string[] => ports.map((port) => `${version === "ipv4" ? address : `[${address}]`}:${port}`);
    const [one, two] = [networkOf(project, "host-1"), networkOf(project, "host-2")];
    const other = hosts["host-2"]?.[version] ?? "";
    // Of its cable and of every bridge.
    const shown = await project.onHost("host-1", `ip -o -family ${version === "ipv4" ? "inet" : "inet6"} address show scope global`);
    const own = [...shown.matchAll(/ inet6? ([^/]+)\//g)].map(([, address = ""]) => address);
    expect(own).toEqual(
      expect.arrayContaining([hosts["host-1"]?.[version], version === "ipv4" ? await addressOf("acme", "Gateway") : `${WITH_IPV6.asking}::1`]),
    );
    const further = [...FURTHER, fleet.tenants["globex"]?.port ?? 0];
    const listeners: [Place, string[]][] = [
      [one, own.flatMap((address) => at(address, ...further))],
      ["client", [...at(NEIGHBOUR[version], 9000), ...at(OUTSIDE.client[version], 9000)]],
    ];
    const reached: [Place, string[]][] = [
      [one, own.flatMap((address) => at(address, ...SERVED, ...further))],
      [one, at(NEIGHBOUR[version], 9000)],
      ["cloudflare", at(other, 80, 443)],
      ["operator", at(other, 22)],
      ...(version === "ipv4"
        ? ([
            [one, [...at(METADATA, 80), ...at(await addressOf("globex", "IPAddress"), 18789)]],
            [two, at(await addressOf("initech", "IPAddress"), 18789)],
          ] satisfies [Place, string[]][])
        : ([[one, at(`${WITH_IPV6.asked}::2`, 9000)]] satisfies [Place, string[]][])),
    ];
    const knockInside = async (addresses: readonly string[]): Promise<Record<string, Knock>> => {
      const command = ["node", "-e", KNOCK, ...addresses];
      return JSON.parse(version === "ipv4" ? await fleet.exec("acme", ...command) : await docker("exec", "asking", ...command)) as Record<string, Knock>;
    };

    await arrange();
    const stops: (() => void)[] = [];
    try {
      for (const [place, addresses] of listeners) stops.push(await listenAt(project.world, place, addresses));
      for (const [place, addresses] of reached) expect([place, openOf(await knockFrom(project.world, place, addresses))]).toEqual([place, addresses]);
      expect(openOf(await knockInside(reached.flatMap(([, addresses]) => addresses)))).toEqual([]);
      expect(openOf(await knockInside(at(OUTSIDE.client[version], 9000)))).toEqual(at(OUTSIDE.client[version], 9000));
    } finally {
      for (const stop of stops) stop();
    }
  };

  beforeAll(async () => {
    fleet = await startCloudFleet((project) => {
      project.writeHosts(
        { "host-1": {}, "host-2": { sshFrom: ["198.51.100.0/24", "2001:db8:ffff::/48"] } },
        { startTimeoutSeconds: 540, hetzner: { network: { ipRange: "10.20.0.0/24" } } },
      );
      return [
        clientOn(project, "host-1", 0, "acme", { expose: ["hooks"] }),
        clientOn(project, "host-1", 1, "globex"),
        clientOn(project, "host-2", 2, "initech"),
      ];
    });
    const image = (await docker("inspect", "--format", "{{.Image}}", fleet.tenants["acme"]?.container ?? "")).trim();
    for (const [name, network] of Object.entries(WITH_IPV6)) {
      await docker("network", "create", "--ipv6", "--subnet", `${network}::/64`, name);
      const listen = 'require("node:net").createServer((socket) => socket.end()).listen(9000, "::")';
      await docker("run", "--detach", "--restart", "unless-stopped", "--network", name, "--name", name, "--entrypoint", "node", image, "-e", listen);
    }
    return async () => fleet.project.dispose();
  });

  it.each(["ipv4", "ipv6"] as const)("reaches neither metadata, nor another tenant, nor its host or other hosts, but the world, over %s", async (version) => {
    expect(await fleet.project.onHost("host-1", `curl -s http://${METADATA}/hetzner/v1/userdata`)).toContain("PRIVATE KEY");
    await expectIsolation(version);
  });

  it("goes on running when Docker is restarted, as isolated as before", async () => {
    const before = await started();
    await fleet.project.onHost("host-1", "systemctl restart docker.service");
    expect(await started()).toEqual(before);
    await expect.poll(() => statusOf("acme", "/healthz"), DEADLINE).toBe(200);
    await expectIsolation("ipv4");
    await expectIsolation("ipv6");
  });

  it("is back after a power cut, with its data and routes and without an update, as isolated as before", async () => {
    const { project } = fleet;
    await fleet.exec("acme", "sh", "-c", `echo kept > ${NOTE}`);
    const before = await started();

    await powerCycle(project.world, nameMachine(project.stack, "host-1"));

    expect(await statusOf("initech", "/healthz", { host: "host-2" })).toBe(200);
    for (const name of ["acme", "globex"]) await expect.poll(() => statusOf(name, "/healthz"), DEADLINE).toBe(200);
    await expect.poll(() => wake("acme"), DEADLINE).toBe(200);
    expect([await wake("globex"), await statusOf("nobody", "/")]).toEqual([404, 421]);
    expect(await fleet.exec("acme", "cat", NOTE)).toBe("kept");
    // The same containers, started again.
    const after = await started();
    expect(after.map((line) => line.split(" ")[0])).toEqual(before.map((line) => line.split(" ")[0]));
    for (const line of after) expect(before).not.toContain(line);
    await expectIsolation("ipv4");
    await expectIsolation("ipv6");
    const { exitCode, output } = await project.pulumi(["preview", "--refresh", "--expect-no-changes"]);
    expect([exitCode, output]).toEqual([0, expect.stringContaining("unchanged")]);
  });
});
