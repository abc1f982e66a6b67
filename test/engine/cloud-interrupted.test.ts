import { cpSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";

import { nameMachine } from "../../plan/names.ts";
import { planFaults } from "../standin/faults.ts";
import { findServerLack } from "../standin/machine/lack.ts";
import { clientOn, type CloudProject, createCloudProject, DOMAIN, TOKENS } from "../support/cloud-project.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { ROOT } from "../support/project.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { accountsOf, recordedOf } from "./accounts.ts";
import { lines } from "./observe.ts";
import { askAsCloudflare } from "./observe-cloud.ts";
import { kill, type Running, start, startUp, waitWhile } from "./running-update.ts";

const { missing, local } = findMachine();

/** What is left after a SIGKILL is the engine's, the plug-ins' and Docker's doing, so a small HTTP server stands in for OpenClaw. */
describeWhere("an update in the cloud that is killed (stand-in for OpenClaw)", missing ?? findServerLack(), () => {
  let project: CloudProject;
  const hosts: string[] = [];
  const tenants: [id: string, host: string][] = [];
  /** All that recovery has printed. */
  let printed = "";

  const nameOf = (host: string): string => nameMachine(project.stack, host);
  const order = (host: string, tenant: string): void => {
    if (!hosts.includes(host)) hosts.push(host);
    tenants.push([tenant, host]);
    project.writeHosts(Object.fromEntries(hosts.map((id) => [id, {}])));
    project.writeTenants(tenants.map(([id, on], index) => clientOn(project, on, index, id)));
  };
  const temporary = (): string => join(project.dir, "tmp");
  const startRecovery = (...args: string[]): Running =>
    start(project, process.execPath, ["tools/main.ts", "recover", "--stack", project.stack, ...args], { TMPDIR: temporary() });
  const recover = async (...args: string[]): Promise<{ exitCode: unknown; output: string }> => {
    const recovery = startRecovery(...args);
    const [exitCode] = await recovery.ended;
    printed += recovery.output;
    return { exitCode, output: recovery.output };
  };
  const names = (): string[] => accountsOf(project).map(([type, name]) => `${type} ${name}`);
  const addressOf = (host: string): string => {
    const server = Object.values(project.records("hcloud").items).find(({ type, name }) => type === "Server" && name === nameOf(host));
    const { ipv4Address } = z
      .object({ ipv4Address: z.string() })
      .partial()
      .parse(server?.outputs ?? {});
    return ipv4Address ?? "";
  };
  const containersOf = async (host: string, role: string): Promise<string[]> =>
    lines(await project.dockerOn(host)("ps", "--all", "--no-trunc", "--quiet", "--filter", `label=openclaw-tenants.role=${role}`));
  /** All that was asked for is there once, the state knows it, and nothing is left to do. */
  const expectConverged = async (): Promise<void> => {
    expect(await recordedOf(project)).toEqual(accountsOf(project));
    expect(new Set(names()).size).toBe(names().length - tenants.length); // A and AAAA have one name.
    for (const [id, host] of tenants) expect(await askAsCloudflare(project, id, addressOf(host))).toEqual({ status: 200, body: `stand-in of ${id}` });
    await project.up("--expect-no-changes");
    await project.up("--expect-no-changes", "--refresh");
  };

  beforeAll(async () => {
    if (local === undefined) return;
    project = await createCloudProject({ image: await buildStandIn(local), hasMachines: true });
    cpSync(join(ROOT, "tools"), join(project.dir, "tools"), { recursive: true });
    mkdirSync(temporary());
    // As an operator keeps them: in the stack's config and nowhere else.
    for (const [key, variable] of [
      ["hcloud:token", "HCLOUD_TOKEN"],
      ["cloudflare:apiToken", "CLOUDFLARE_API_TOKEN"],
    ] as const) {
      await execa("pulumi", ["config", "set", "--secret", key], { cwd: project.dir, env: project.env, input: TOKENS.full[variable] });
      Reflect.deleteProperty(project.env, variable);
    }
    order("host-1", "acme");
  });
  afterAll(() => project.dispose());

  it("keeps its lock when it was killed while a volume and DNS records were made", async () => {
    planFaults(project.world, [
      { api: "hcloud", on: "create", type: "Volume", fault: { kind: "hang-after" } },
      { api: "cloudflare", on: "create", type: "DnsRecord", times: 2, fault: { kind: "hang-after" } },
    ]);
    const update = startUp(project);
    const made = [`DnsRecord acme.${DOMAIN}`, `DnsRecord acme.${DOMAIN}`, `Volume ${nameOf("host-1")}`];
    await waitWhile(update, "volume and records were made", () => made.every((each, index) => names().filter((name) => name === each).length > index % 2));
    const [volume] = readdirSync(join(project.world, "volumes"));
    await waitWhile(update, "the volume was formatted", () => isFormatted(join(project.world, "volumes", volume ?? "")));

    await kill(update);

    const recorded = (await recordedOf(project)).map(([type, name]) => `${type} ${name}`);
    for (const each of made) expect(recorded).not.toContain(each);
    const { exitCode, output } = await project.pulumi(["up", "--yes", "--skip-preview"]);
    expect(exitCode).not.toBe(0);
    expect(output).toContain("the stack is currently locked");
  });

  it("is not recovered where nobody can say that no other one runs", async () => {
    const state = await project.exportState();

    const { exitCode, output } = await recover();

    expect(exitCode).toBe(1);
    expect(output).toContain("nobody is here to answer whether another update is running\n  say --yes when none is");
    expect(await project.exportState()).toBe(state);
    expect((await project.pulumi(["up", "--yes", "--skip-preview"])).output).toContain("the stack is currently locked");
  });

  it("is recovered by a command that takes over what was made, even when that is killed while the server is made", async () => {
    const [, , volume = ""] = accountsOf(project).find(([type]) => type === "Volume") ?? [];
    planFaults(project.world, [{ api: "hcloud", on: "create", type: "Server", fault: { kind: "hang-after" } }]);

    const recovery = startRecovery("--yes");
    const seen = watch(recovery);
    await waitWhile(recovery, "the server answered", () => answers(addressOf("host-1"), 22));
    await kill(recovery);
    printed += recovery.output;

    expect(recovery.output).toContain(`recovery: host-1-data was created and not recorded: taking over ${volume}\n`);
    for (const name of ["acme-a", "acme-aaaa"]) expect(recovery.output).toContain(`recovery: ${name} was created and not recorded: taking over `);
    expect((await recordedOf(project)).map(([type]) => type)).not.toContain("Server");
    const { commands, files } = await seen;
    expect(commands).toEqual(expect.arrayContaining([expect.stringContaining("main.ts recover"), expect.stringContaining("pulumi preview")]));
    expect(files.length).toBeGreaterThan(0);
    for (const token of Object.values(TOKENS.full)) expect([...commands, ...files].filter((text) => text.includes(token)).length).toBe(0);
  });

  it("is recovered once more when it is killed while the first containers are made", async () => {
    const recovery = startRecovery("--yes");
    // Docker on a new server takes a while to answer.
    await waitWhile(recovery, "a gateway was made", async () => (await containersOf("host-1", "gateway").catch(() => [])).length > 0);
    await kill(recovery);
    printed += recovery.output;

    expect(recovery.output).toContain("recovery: host-1-server was created and not recorded: taking over ");
    const [gateway = ""] = await containersOf("host-1", "gateway");
    expect(await project.exportState()).not.toContain(gateway);

    const { exitCode, output } = await recover("--yes");

    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/recovery: host "host-1": removed \d+ containers that were not recorded/);
    expect(await containersOf("host-1", "gateway")).toHaveLength(1);
    expect(await containersOf("host-1", "gateway")).not.toContain(gateway);
    await expectConverged();
  });

  it("is let alone while it lives", async () => {
    order("host-1", "globex");
    const update = startUp(project);
    await waitWhile(update, "a gateway was made", async () => (await containersOf("host-1", "gateway")).length > 1);

    const { exitCode, output } = await recover("--yes");

    expect(exitCode).toBe(1);
    expect(output).toMatch(/stack "\S+" is being updated by another process \(pid \d+\)/);
    expect(await update.ended, update.output).toEqual([0, null]);
  });

  it("is recovered in the same way when nothing was killed but plug-ins, between an order and its record", async () => {
    order("host-2", "hooli");
    // Its addresses are there, whatever else goes down with a plug-in.
    order("host-1", "umbrella");
    planFaults(project.world, [
      { api: "hcloud", on: "create", type: "Volume", name: nameOf("host-2"), fault: { kind: "crash-after" } },
      { api: "cloudflare", on: "create", type: "DnsRecord", name: `umbrella.${DOMAIN}`, fault: { kind: "crash-after" } },
    ]);
    expect((await project.pulumi(["up", "--yes", "--skip-preview"])).exitCode).not.toBe(0);
    const again = await project.pulumi(["up", "--yes", "--skip-preview"]);
    expect(again.exitCode).not.toBe(0);
    for (const name of ["host-2-data", "umbrella-a{1,4}"])
      expect(again.output).toMatch(new RegExp(`error: ${name} is in the account and not in the state: .*npm run recover -- --stack ${project.stack}`));

    planFaults(project.world, [{ api: "hcloud", on: "create", type: "Server", name: nameOf("host-2"), fault: { kind: "crash-after" } }]);
    const first = await recover("--yes");
    expect(first.exitCode).not.toBe(0);
    for (const name of ["host-2-data", "umbrella-a{1,4}"])
      expect(first.output).toMatch(new RegExp(`recovery: ${name} was created and not recorded: taking over`));
    const second = await recover("--yes");

    expect(second.exitCode, second.output).toBe(0);
    expect(second.output).toContain("recovery: host-2-server was created and not recorded: taking over ");
    await expectConverged();
  });

  it("has left both servers as they were ordered, once, and never switched one off", () => {
    const calls = project.records("hcloud").log.filter(({ type, on }) => type === "Server" && on !== "read");

    expect(calls.map(({ on, name }) => `${on} ${name}`)).toEqual([`create ${nameOf("host-1")}`, `create ${nameOf("host-2")}`]);
  });

  it("has printed no token", () => {
    expect(printed).toContain("taking over");
    expect(Object.values(TOKENS.full).filter((token) => printed.includes(token)).length).toBe(0);
  });

  /** Command lines, and what is kept in temporary files, while a program runs. */
  async function watch(running: Running): Promise<{ commands: string[]; files: string[] }> {
    const [commands, files] = [new Set<string>(), new Set<string>()];
    while (running.isRunning()) {
      for (const line of lines((await execa("ps", ["-ax", "-o", "args="])).stdout)) commands.add(line);
      for (const content of readAll(temporary())) files.add(content);
    }
    return { commands: [...commands], files: [...files] };
  }
});

/** Content of every file below a folder. What goes away meanwhile has none. */
function readAll(folder: string): string[] {
  const files = present(() => readdirSync(folder, { withFileTypes: true, recursive: true })) ?? readdirSync(folder, { withFileTypes: true, recursive: true });
  return files.filter((entry) => entry.isFile()).flatMap(({ parentPath, name }) => present(() => readFileSync(join(parentPath, name), "latin1")) ?? []);
}

/** What is read, unless it has gone away. */
function present<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function isFormatted(file: string): Promise<boolean> {
  return (await execa("tune2fs", ["-l", file], { reject: false })).exitCode === 0;
}

async function answers(host: string, port: number): Promise<boolean> {
  if (host === "") return false;
  return await new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const end = (isThere: boolean) => (): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once("connect", end(true)).once("error", end(false)).once("timeout", end(false));
  });
}
