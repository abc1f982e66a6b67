import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";

import { sshArgs } from "../../lib/ssh.ts";
import { planFaults } from "../standin/faults.ts";
import { findServerLack } from "../standin/machine/lack.ts";
import type { Call } from "../standin/world.ts";
import { clientOn, type CloudProject, createCloudProject, type HetznerInput } from "../support/cloud-project.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import type { StackOutputs } from "../support/project.ts";
import { type Agent, makeKeyPair, startAgent } from "../support/ssh-agent.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { lines, previewSteps } from "./observe.ts";
import { askAsCloudflare, containersOn } from "./observe-cloud.ts";

const { missing, local } = findMachine();
const clients = ["acme", "globex"];
const NOTES = "/srv/openclaw/tenants/acme/workspace/notes.md";

/** Servers and Docker are the claim here, so a small HTTP server stands in for OpenClaw. Each test starts where the one before it ended. */
describeWhere("a server through its life (stand-in for OpenClaw)", missing ?? findServerLack(), () => {
  let project: CloudProject;
  let bob: Agent;
  let bobsKey: string;
  let host: Partial<HetznerInput> = {};
  let before: StackOutputs;

  /** Changes the server's settings, and who may log in besides ann. */
  const change = (more: Partial<HetznerInput>, others: Record<string, string> = {}): void => {
    host = { ...host, ...more };
    project.writeHosts({ "host-1": host }, { operators: { ann: project.operatorKey, ...others } });
  };
  const setList = (...ids: string[]): void => {
    project.writeTenants([...clients, ...ids].map((id, index) => clientOn(project, "host-1", index, id)));
  };
  const fail = async (...args: string[]): Promise<string> => {
    // As an operator's own engine is; told to go on, it waits for ever for a replacement whose first half has failed.
    const { exitCode, output } = await project.pulumi(args, { env: { PULUMI_CONTINUE_ON_ERROR: "false" } });
    if (exitCode === 0) throw new Error(`pulumi ${args.join(" ")} did not fail:\n${output}`);
    return output;
  };
  /** What Hetzner was asked to do since, but for questions. */
  const callsSince = (start: number): string[] =>
    project
      .records("hcloud")
      .log.slice(start)
      .filter(({ on }: Call) => on !== "list" && on !== "read")
      .map(({ on, type, error }) => `${on} ${type}${error === undefined ? "" : ": refused"}`);
  const calls = (): number => project.records("hcloud").log.length;
  const serverId = (): string | undefined => Object.entries(project.records("hcloud").items).find(([, { type }]) => type === "Server")?.[0];
  /** What outlives the server: id and address of each. */
  const lasting = (): unknown =>
    Object.entries(project.records("hcloud").items)
      .filter(([, { type }]) => type === "PrimaryIp" || type === "Volume")
      .map(([id, { type, outputs }]) => [id, type, outputs["ipAddress"]]);
  const loginOf = async (agent: Agent): Promise<{ exitCode: number | undefined; stderr: string }> => {
    const { ipv4 = "", hostKey = "" } = (await project.outputs()).hosts["host-1"] ?? {};
    const { exitCode, stderr } = await execa("ssh", ["-F", "none", ...sshArgs({ address: ipv4, hostKey }, ["true"])], { env: agent.env, reject: false });
    return { exitCode, stderr };
  };
  const expectServed = async (...ids: string[]): Promise<void> => {
    const { ipv4 = "" } = (await project.outputs()).hosts["host-1"] ?? {};
    for (const id of ids)
      await expect.poll(() => askAsCloudflare(project, id, ipv4), { timeout: 60_000, interval: 500 }).toEqual({ status: 200, body: `stand-in of ${id}` });
  };
  /** Everything that Docker has on the host, by name. */
  const inventory = async (): Promise<unknown> => {
    const docker = project.dockerOn("host-1");
    const [volumes, networks] = [await docker("volume", "ls", "--quiet"), await docker("network", "ls", "--format", "{{.Name}}")];
    return { containers: Object.keys(await containersOn(project, "host-1")).toSorted(), volumes: lines(volumes), networks: lines(networks).toSorted() };
  };
  const expectUnchanged = async (): Promise<void> => {
    await project.up("--expect-no-changes");
    await project.up("--refresh", "--expect-no-changes");
  };

  beforeAll(async () => {
    if (local === undefined) return;
    const pair = await makeKeyPair();
    bob = await startAgent(pair);
    bobsKey = pair.publicKey;
    project = await createCloudProject({ image: await buildStandIn(local), hasMachines: true });
    change({});
    setList();
    await project.up();
    await project.onHost("host-1", `echo precious > ${NOTES} && touch /root/disk-of-the-first`);
    before = await project.outputs();
  });
  afterAll(async () => {
    await project.dispose();
    await bob.dispose();
  });

  it("is not replaced for another image, other user data or another key", async () => {
    const running = await containersOn(project, "host-1");
    change({ image: "debian-12", rebootAt: "05:00", swapMb: 1024 }, { bob: bobsKey });

    expect(await previewSteps(project)).toEqual(["create SshKey operator-bob", "update Command host-1-operators"]);
    expect((await loginOf(bob)).exitCode).toBe(255);
    await project.up();

    expect(await containersOn(project, "host-1")).toEqual(running);
  });

  it("lets in an operator whose key was added later, and no longer one whose key was taken out", async () => {
    expect(await loginOf(bob)).toMatchObject({ exitCode: 0 });
    change({});

    expect(await previewSteps(project)).toEqual(["delete SshKey operator-bob", "update Command host-1-operators"]);
    await project.up();

    expect(await loginOf(bob)).toMatchObject({ exitCode: 255, stderr: expect.stringContaining("Permission denied (publickey)") as string });
    expect(await project.ssh("host-1", "id", "-un")).toMatchObject({ exitCode: 0, stdout: "deploy" });
  });

  it("grows its data volume and the file system on it while tenants run", async () => {
    const sizeMb = async (): Promise<number> => Number(await project.onHost("host-1", "df --output=size --block-size=1M /srv/openclaw | tail -n 1"));
    // A stand-in server that may not grow a file system in use starts its containers again; none is made anew.
    const ids = async (): Promise<string[]> => Object.values(await containersOn(project, "host-1")).map(({ id }) => id);
    const [running, old] = [await ids(), await sizeMb()];
    change({ dataGb: 20 });

    expect(await previewSteps(project)).toEqual(["replace Command host-1-data-size", "update Volume host-1-data"]);
    await project.up();

    expect(await sizeMb()).toBeGreaterThan(1.9 * old);
    expect(await ids()).toEqual(running);
    await expectServed(...clients);
    expect(await project.onHost("host-1", `cat ${NOTES}`)).toBe("precious");
  });

  it("refuses in the preview to shrink it", async () => {
    change({ dataGb: 10 });

    expect(await fail("preview")).toContain('host "host-1", field dataGb 10: its data volume has 20 GB, and a volume cannot shrink; put 20 back');
    change({ dataGb: 20 });
  });

  it("gets another type in place, and its tenants are back after the power was off", async () => {
    const [running, id, start] = [await containersOn(project, "host-1"), serverId(), calls()];
    change({ serverType: "cx43" });

    expect(await previewSteps(project)).toEqual(["update Server host-1-server"]);
    await project.up();

    expect(callsSince(start)).toEqual(["powerOff Server", "powerOn Server", "update Server"]);
    expect(serverId()).toBe(id);
    await expectServed(...clients);
    const now = await containersOn(project, "host-1");
    for (const name of [...clients, "host-1.edge"]) {
      expect(now[name]?.id).toBe(running[name]?.id);
      expect(now[name]?.startedAt).not.toBe(running[name]?.startedAt);
    }
    expect(await project.onHost("host-1", `mountpoint /srv/openclaw && cat ${NOTES}`)).toContain("precious");
  });

  it("refuses in the preview to be built anew while it is protected, and changes nothing", async () => {
    change({ rebuild: "2026-12-24" });

    expect(await fail("preview")).toContain(
      'host "host-1", field rebuild "2026-12-24": the host is protected; first set protected: false without a new rebuild and run `pulumi up`, then set rebuild',
    );
    const start = calls();
    await fail("up", "--yes", "--skip-preview");
    expect(callsSince(start)).toEqual([]);
  });

  it("has its guard lifted by a run that does nothing else", async () => {
    const running = await containersOn(project, "host-1");
    host = { ...host, protected: false };
    delete host.rebuild;
    change({});

    expect(await previewSteps(project)).toEqual([
      "update PrimaryIp host-1-ipv4",
      "update PrimaryIp host-1-ipv6",
      "update Server host-1-server",
      "update Volume host-1-data",
    ]);
    await project.up();

    expect(await containersOn(project, "host-1")).toEqual(running);
  });

  it("announces loudly what a rebuild does, and touches neither addresses, data, names nor tokens", async () => {
    change({ rebuild: "2026-12-24" });

    const { exitCode, output } = await project.pulumi(["preview"]);
    expect(exitCode, output).toBe(0);
    expect(output).toContain(
      'warning: host "host-1" is BUILT ANEW: its server and the disk in it are deleted, all its tenants are down for minutes; their data and addresses stay',
    );
    const steps = await previewSteps(project);
    expect(steps).toContain("replace Server host-1-server");
    expect(steps).toContain("replace Container acme-gateway");
    const kinds = new Set(steps.map((step) => step.split(" ").slice(0, 2).join(" ")));
    expect([...kinds].toSorted()).toEqual(
      ["Command", "Container", "Network", "RemoteImage", "Server", "Volume", "VolumeAttachment"].map((kind) => `replace ${kind}`).concat("update docker"),
    );
    expect(steps.filter((step) => step.endsWith("host-1-data"))).toEqual(["replace VolumeAttachment host-1-data"]);
  });

  it("brings every tenant back on a new machine, with its data, its tokens and its address", async () => {
    const [old, running, things, id, start] = [lasting(), await containersOn(project, "host-1"), await inventory(), serverId(), calls()];

    await project.up();

    // It has its volume until it is down, so that nothing is cut off while it writes.
    expect(callsSince(start)).toEqual(["shutdown Server", "delete Server", "create Server", "create VolumeAttachment"]);
    expect(serverId()).not.toBe(id);
    expect(await project.onHost("host-1", "ls /root")).toBe("");
    expect(lasting()).toEqual(old);
    await expectServed(...clients);
    expect(await project.onHost("host-1", `cat ${NOTES}`)).toBe("precious");
    const { tenants, tokens, hosts } = await project.outputs();
    expect({ tenants, tokens }).toEqual({ tenants: before.tenants, tokens: before.tokens });
    expect(hosts["host-1"]).toMatchObject({ ipv4: before.hosts["host-1"]?.ipv4, ipv6: before.hosts["host-1"]?.ipv6, hostKey: before.hosts["host-1"]?.hostKey });
    // Nothing that was on the old machine is deleted on the new one, which has the same address.
    expect(await inventory()).toEqual(things);
    const ids = new Set(Object.values(running).map((container) => container.id));
    expect(Object.values(await containersOn(project, "host-1")).filter((container) => ids.has(container.id))).toEqual([]);
  });

  it("changes nothing in the next run, nor in one after a refresh", async () => {
    const running = await containersOn(project, "host-1");

    await expectUnchanged();

    expect(await containersOn(project, "host-1")).toEqual(running);
  });

  it("is built by today's settings also when the first try got no further than the end of the old one", async () => {
    const [old, things] = [lasting(), await inventory()];
    change({ rebuild: "2026-12-25", image: "ubuntu-22.04" });
    planFaults(project.world, [{ api: "hcloud", on: "create", type: "Server", fault: { kind: "limit" } }]);

    expect(await fail("up", "--yes", "--skip-preview")).toContain("limit");
    expect([serverId(), lasting()]).toEqual([undefined, old]);
    await project.up();

    const server = project.records("hcloud").items[serverId() ?? ""];
    expect(server?.inputs).toMatchObject({ image: "ubuntu-22.04", labels: { "openclaw-tenants.rebuild": "2026-12-25" } });
    expect(server?.inputs["userData"]).toContain("2026-12-25");
    await expectServed(...clients);
    expect(await project.onHost("host-1", `cat ${NOTES}`)).toBe("precious");
    expect((await project.outputs()).tokens).toEqual(before.tokens);
    expect(await inventory()).toEqual(things);
    await project.up("--expect-no-changes");
  });

  it("is sent nothing when it shows another host key", async () => {
    const things = await inventory();
    const sshd = "/usr/sbin/sshd -E /root/sshd.log -o LogLevel=DEBUG1";
    const key = "/etc/ssh/ssh_host_ed25519_key";
    const restart = `kill "$(cat /run/sshd.pid)" && while [ -e /run/sshd.pid ]; do sleep 0.1; done && ${sshd}`;
    await project.onHost("host-1", `cp -p ${key} /root/own && rm ${key} && ssh-keygen -q -t ed25519 -N '' -f ${key} && ${restart}`);
    setList("initech");

    expect(await fail("up", "--yes", "--skip-preview")).toContain("Host key verification failed");
    expect(await inventory()).toEqual(things);
    // The step that waits for a server dials for minutes, because a new one may not answer yet.
    const file = join(project.dir, "components", "hetzner-host.ts");
    const component = readFileSync(file, "utf8");
    writeFileSync(file, component.replace("dialErrorLimit: 60", "dialErrorLimit: 1"));
    const said = await fail("up", "--yes", "--skip-preview");
    writeFileSync(file, component);
    expect(said).toMatch(/host-1-ready .*Host key verification failed/);
    expect(await inventory()).toEqual(things);
    const log = await project.onHost("host-1", "cat /root/sshd.log");
    expect(log).toContain("Connection from 198.51.100.2");
    expect(log).not.toContain("userauth");

    await project.onHost("host-1", `cp -p /root/own ${key} && ${restart}`);
    await project.up();

    await expectServed("initech");
    expect(await project.onHost("host-1", "cat /root/sshd.log")).toContain("userauth");
  });
});
