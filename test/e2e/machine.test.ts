import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";

import { quote, sshArgs, strictOptions } from "../../lib/ssh.ts";
import * as machines from "../standin/machine.ts";
import { findServerLack } from "../standin/machine/lack.ts";
import { waitUntil } from "../standin/machine/processes.ts";
import { cgroupOf } from "../standin/machine/world.ts";
import { withTemporaryDir } from "../standin/temporary-dir.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { type Ended, type Outside, outside } from "../support/outside.ts";
import { type Agent, type KeyPair, makeKeyPair, startAgent } from "../support/ssh-agent.ts";

const DEADLINE = { timeout: 60_000, interval: 200 };
const ONE = { name: "one", ipv4: "203.0.113.10", ipv6: "2001:db8:10::1" };
const TWO = { name: "two", ipv4: "203.0.113.11", ipv6: "2001:db8:11::1" };
const SSH: machines.FirewallRule = { direction: "in", protocol: "tcp", port: "22", sourceIps: ["198.51.100.0/24", "2001:db8:ffff::/48"] };
const WEB: machines.FirewallRule = { direction: "in", protocol: "tcp", port: "8080", sourceIps: ["173.245.48.0/20", "2400:cb00::/32"] };
const MIB = 1024 * 1024;
const machine = findMachine();

/** What a production server does, at its smallest. */
function renderUserData(host: KeyPair, operator: KeyPair): string {
  const script = (path: string, ...lines: string[]): object => ({ path, permissions: "0755", content: ["#!/bin/sh", "set -eu", ...lines, ""].join("\n") });
  const config = {
    ssh_keys: { ed25519_private: host.privateKey, ed25519_public: host.publicKey },
    users: [
      {
        name: "deploy",
        groups: ["docker"],
        shell: "/bin/bash",
        ssh_authorized_keys: [operator.publicKey],
        sudo: "ALL=(root) NOPASSWD: /usr/local/sbin/grow",
      },
    ],
    packages: ["docker.io", "earlyoom"],
    mounts: [["/dev/disk/by-id/scsi-0HC_Volume_7", "/srv/data", "ext4", "defaults,nofail", "0", "2"]],
    write_files: [
      { path: "/etc/ssh/sshd_config.d/10-test.conf", content: "PermitRootLogin no\nMaxStartups 100:30:200\nMaxSessions 100\n" },
      { path: "/etc/docker/daemon.json", content: JSON.stringify({ "live-restore": true, "userland-proxy": false }) },
      {
        path: "/etc/systemd/system/guard.service",
        content: "[Unit]\nAfter=docker.service\n[Service]\nType=oneshot\nExecStart=/usr/local/sbin/guard\n[Install]\nWantedBy=multi-user.target\n",
      },
      script("/usr/local/sbin/guard", "iptables -I DOCKER-USER -d 169.254.0.0/16 -j DROP"),
      script("/usr/local/sbin/grow", "mountpoint -q /srv/data || mount /srv/data", 'resize2fs "$(findmnt -no SOURCE /srv/data)"'),
    ],
    runcmd: ["set -e", ["systemctl", "enable", "--now", "guard.service", "earlyoom.service"]],
  };
  return `#cloud-config\n${JSON.stringify(config)}\n`;
}

describeWhere("a stand-in server", machine.missing ?? findServerLack(), () => {
  const image = machine.local?.caddyImage ?? "";
  // Last in, first out.
  const cleanUp = new AsyncDisposableStack();
  let world: string;
  let agent: Agent;
  let host: KeyPair;
  let other: KeyPair;
  let userData: string;
  let places: Outside;
  const ssh = async (
    address: string,
    command: readonly string[],
    options: { user?: string; hostKey?: string; env?: Record<string, string> } = {},
  ): Promise<Ended> => {
    const { user = "deploy", hostKey = host.publicKey, env = agent.env } = options;
    const args = ["-F", "none", ...sshArgs({ address, hostKey }, command)].map((arg) => (arg === `deploy@${address}` ? `${user}@${address}` : arg));
    const { exitCode, stdout, stderr } = await execa("ssh", args, { env, reject: false });
    return { exitCode, stdout, stderr };
  };
  /** Runs a command as an operator; what it printed. */
  const on = async ({ ipv4 }: typeof ONE, ...command: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await ssh(ipv4, command);
    if (exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${exitCode}:\n${stderr}`);
    return stdout;
  };
  const untilReady = async (server: typeof ONE): Promise<void> => {
    await waitUntil(async () => (await ssh(server.ipv4, ["cloud-init", "status", "--wait"])).stdout === "status: done", `server ${server.name} is not ready`);
  };
  const sizeOf = async (server: typeof ONE): Promise<number> => Number((await on(server, "df", "--block-size=1", "--output=size", "/srv/data")).split("\n")[1]);

  beforeAll(async () => {
    [host, other] = [await makeKeyPair(), await makeKeyPair()];
    const operator = await makeKeyPair();
    userData = renderUserData(host, operator);
    agent = await startAgent(operator);
    cleanUp.defer(agent.dispose);
    world = await machines.createWorld();
    cleanUp.defer(() => machines.destroyWorld(world));
    places = outside(world);
    await machines.preload(world, [image], machine.local?.env ?? {});
    await machines.createVolume(world, "7", 10, "ext4");
    await Promise.all([ONE, TWO].map((server) => machines.createMachine({ world, ...server, userData, firewall: [SSH] })));
    await machines.attachVolume(world, "one", "7");
    await Promise.all([ONE, TWO].map(untilReady));
  });
  afterAll(async () => cleanUp.disposeAsync());

  it("lets the operator in as deploy by each of its addresses, and nobody else", async () => {
    for (const address of [ONE.ipv4, ONE.ipv6, TWO.ipv4]) expect(await ssh(address, ["id", "-un"])).toMatchObject({ exitCode: 0, stdout: "deploy" });
    const stranger = await startAgent(other);
    cleanUp.defer(stranger.dispose);
    for (const options of [{ user: "root" }, { env: stranger.env }])
      expect(await ssh(ONE.ipv4, ["id"], options)).toMatchObject({ exitCode: 255, stderr: expect.stringContaining("Permission denied (publickey") as string });
    expect(await ssh(ONE.ipv4, ["sudo", "-n", "id"])).toMatchObject({ exitCode: 1, stdout: "" });
  });

  it("is not spoken to when its host key is not the expected one", async () => {
    const { exitCode, stderr } = await ssh(ONE.ipv4, ["id"], { hostKey: other.publicKey });
    expect([exitCode, stderr]).toEqual([255, expect.stringContaining("Host key verification failed")]);
  });

  it("answers forty at once", async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => ssh(ONE.ipv4, ["docker", "version", "--format", "{{.Server.Os}}"])));
    expect(answers.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual(Array.from({ length: 40 }, () => [0, "linux"]));
  });

  it("has a Docker of its own, reached over SSH, with the images that were pulled", async () => {
    const name = await withTemporaryDir("ssh", async (dir) => {
      // The docker command takes no options for ssh.
      writeFileSync(join(dir, "ssh"), `#!/bin/sh\nPATH=$REST exec ssh -F none ${quote(strictOptions(host.publicKey))} "$@"\n`, { mode: 0o755 });
      const rest = process.env["PATH"] ?? "";
      const env = { ...agent.env, REST: rest, PATH: `${dir}:${rest}`, DOCKER_HOST: `ssh://deploy@${ONE.ipv4}` };
      return (await execa("docker", ["info", "--format", "{{.Name}} {{.LiveRestoreEnabled}}"], { env })).stdout;
    });
    expect(name).toBe("one true");
    expect(await on(TWO, "docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")).toBe(image);
  });

  it("runs containers within their limits", async () => {
    await on(
      ONE,
      "docker",
      "run",
      "--detach",
      "--init",
      "--name",
      "limited",
      "--memory",
      "64m",
      "--memory-swap",
      "64m",
      "--pids-limit",
      "50",
      image,
      "sleep",
      "1000",
    );
    const limits =
      "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max";
    expect(await on(ONE, "docker", "exec", "limited", "sh", "-c", limits)).toBe(`${64 * MIB}\n50`);
    expect(await on(TWO, "docker", "ps", "--quiet")).toBe("");
  });

  it("is reached through its firewall alone, whose rules can change", async () => {
    await on(
      ONE,
      "docker",
      "run",
      "--detach",
      "--init",
      "--name",
      "web",
      "--network",
      "host",
      "--restart",
      "unless-stopped",
      image,
      "caddy",
      "respond",
      "--listen",
      ":8080",
      "--body",
      "hello",
    );
    const get = async (who: "client" | "cloudflare", address: string, port = 8080): Promise<string> => {
      const { exitCode, stdout } = await places.exec(who, ["curl", "--silent", "--max-time", "2", `http://${address}:${port}/`]);
      return exitCode === 0 ? stdout : `curl ended with ${exitCode}`;
    };
    const TIMED_OUT = "curl ended with 28";
    await expect.poll(() => places.inMachine("one", ["curl", "--silent", "http://127.0.0.1:8080/"]).catch(String), DEADLINE).toBe("hello");
    expect([await get("cloudflare", ONE.ipv4), await get("client", ONE.ipv4)]).toEqual([TIMED_OUT, TIMED_OUT]);

    await machines.setFirewall(world, "one", [SSH, WEB]);
    for (const address of [ONE.ipv4, `[${ONE.ipv6}]`]) expect([await get("cloudflare", address), await get("client", address)]).toEqual(["hello", TIMED_OUT]);
    expect(await get("client", ONE.ipv4, 22)).toBe(TIMED_OUT);
    expect((await ssh(ONE.ipv4, ["true"])).exitCode).toBe(0);
  });

  it("is told its user data, and its containers are not", async () => {
    const url = "http://169.254.169.254/hetzner/v1/userdata";
    // Not by its own option for a deadline: that of Debian's busybox crashes.
    const fetch = ["docker", "exec", "limited", "timeout", "3", "wget", "-q", "-O", "-", url];
    expect((await places.inMachine("one", ["curl", "--silent", url])).trimEnd()).toBe(userData.trimEnd());
    await expect(on(ONE, ...fetch)).rejects.toThrow("ended with 143");
    // Without the rule it is told: that is what keeps it from them.
    await places.inMachine("one", ["iptables", "-D", "DOCKER-USER", "-d", "169.254.0.0/16", "-j", "DROP"]);
    expect(await on(ONE, ...fetch)).toBe(userData.trimEnd());
  });

  it("sees a volume that was attached later, and grows its file system", async () => {
    await on(ONE, "sudo", "-n", "/usr/local/sbin/grow");
    const before = await sizeOf(ONE);
    await places.inMachine("one", ["sh", "-c", "echo kept >/srv/data/note"]);
    await machines.growVolume(world, "7", 20);
    expect(await sizeOf(ONE)).toBe(before);
    await on(ONE, "sudo", "-n", "/usr/local/sbin/grow");
    expect((await sizeOf(ONE)) / before).toBeCloseTo(2, 0);
    expect(await on(ONE, "cat", "/srv/data/note")).toBe("kept");
    await expect(machines.growVolume(world, "7", 10)).rejects.toThrow("cannot shrink");
    await expect(machines.attachVolume(world, "two", "7")).rejects.toThrow("attached to one");
  });

  it("comes back from a power cut with its disk, its volume and its containers, and does not begin anew", async () => {
    const states = "{{.Names}} {{.State}}";
    await places.inMachine("one", ["sh", "-c", "echo mine >/etc/motd"]);

    await machines.powerCycle(world, "one");

    await untilReady(ONE);
    expect(await on(ONE, "cat", "/etc/motd", "/srv/data/note")).toBe("mine\nkept");
    await expect.poll(() => on(ONE, "docker", "ps", "--all", "--format", states), DEADLINE).toBe("web running\nlimited exited");
    expect(await places.inMachine("one", ["iptables", "-S", "DOCKER-USER"])).toContain("-A DOCKER-USER -d 169.254.0.0/16 -j DROP");
    expect((await places.exec("cloudflare", ["curl", "--silent", "--max-time", "5", `http://${ONE.ipv4}:8080/`])).stdout).toBe("hello");
    expect((await on(ONE, "cat", "/home/deploy/.ssh/authorized_keys")).split("\n")).toHaveLength(1);
  });

  it("gives its volume on, with what is on it", async () => {
    await machines.detachVolume(world, "one", "7");
    await expect(on(ONE, "ls", "/dev/disk/by-id/scsi-0HC_Volume_7")).rejects.toThrow("No such file");
    await machines.destroyMachine(world, "one");
    expect((await ssh(ONE.ipv4, ["true"])).exitCode).toBe(255);

    await machines.attachVolume(world, "two", "7");
    await on(TWO, "sudo", "-n", "/usr/local/sbin/grow");
    expect(await on(TWO, "cat", "/srv/data/note")).toBe("kept");
  });

  it("says what is wrong with an order, and leaves nothing of it", async () => {
    const spec = { name: "none", ipv4: "203.0.113.12", ipv6: undefined, userData, firewall: [] };
    await expect(machines.createMachine({ ...spec, world, userData: "#cloud-config\nnonsense: 1\n" })).rejects.toThrow("nonsense");
    expect(readdirSync(join(world, "servers"))).toEqual(["two"]);

    // Two worlds would have the same addresses.
    const second = await machines.createWorld();
    cleanUp.defer(() => machines.destroyWorld(second));
    await expect(machines.createMachine({ ...spec, world: second })).rejects.toThrow(`routed to the world ${world}`);
    expect(readdirSync(join(second, "servers"))).toEqual([]);
    expect((await ssh(TWO.ipv4, ["true"])).exitCode).toBe(0);
  });

  it("leaves nothing of a world that is destroyed, or whose run was killed", async () => {
    await machines.destroyWorld(world);
    await machines.destroyWorld(world);
    await expectNothing(world);

    // Killed while it makes a server, which is made all the same.
    const script = `
      const machines = await import(process.argv[1]);
      const world = await machines.createWorld();
      process.stdout.write(world);
      await machines.createMachine({ world, name: "late", ipv4: "203.0.113.13", ipv6: undefined, userData: "", firewall: [] });`;
    const run = spawn(process.execPath, ["--input-type=module", "--eval", script, new URL("../standin/machine.ts", import.meta.url).href], {
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    const dead = String((await once(run.stdout, "data"))[0]);
    await expect.poll(() => existsSync(join(dead, "servers/late/build.log")), DEADLINE).toBe(true);
    // With all of its group, as a terminal does.
    process.kill(-(run.pid ?? 0), "SIGKILL");
    await once(run, "exit");
    await expect
      .poll(
        () =>
          outside(dead)
            .inMachine("late", ["hostname"])
            .then((said) => said.trim(), String),
        DEADLINE,
      )
      .toBe("late");

    world = await machines.createWorld();
    await expectNothing(dead);
  });
});

/** Nothing of a world is on this machine any more. */
async function expectNothing(world: string): Promise<void> {
  expect(existsSync(world)).toBe(false);
  const links = (await execa("ip", ["-brief", "link"])).stdout.split("\n").filter((line) => line.startsWith("oc-"));
  const spaces = (await execa("ip", ["netns", "list"])).stdout.split("\n").filter((line) => line.startsWith("openclaw-"));
  const routes = (await execa("ip", ["route"])).stdout.split("\n").filter((line) => line.startsWith("203.0.113."));
  const loops = (await execa("losetup", ["--list", "--noheadings", "--output", "BACK-FILE"])).stdout.split("\n").filter((line) => line.includes(world));
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(world));
  const cgroups = (await execa("find", ["/sys/fs/cgroup", "-type", "d", "-path", `*${cgroupOf(world)}*`])).stdout;
  const processes = (await execa("ps", ["-eo", "args"])).stdout.split("\n").filter((line) => line.includes(world));
  expect({ links, spaces, routes, loops, mounts, cgroups, processes }).toEqual({
    links: [],
    spaces: [],
    routes: [],
    loops: [],
    mounts: [],
    cgroups: "",
    processes: [],
  });
}
