import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";

import { nameMachine } from "../../plan/names.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { findServerLack } from "../standin/machine/lack.ts";
import { serverDir } from "../standin/machine/world.ts";
import { clientOn, type CloudProject, createCloudProject, TOKENS } from "../support/cloud-project.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { lines, previewSteps, without } from "./observe.ts";
import { askAsCloudflare, containersOn, runningOnServer, wholeOnServer } from "./observe-cloud.ts";

const { missing, local } = findMachine();
const hosts = { "host-1": {}, "host-2": {} };
/** A tenant's secret that must not be seen. */
const canary = `canary-${randomBytes(12).toString("hex")}`;
const dataOf = (id: string): string => `/srv/openclaw/tenants/${id}`;

/** Engine, servers and Docker are the claim here, so a small HTTP server stands in for OpenClaw. Each test starts where the one before it ended. */
describeWhere("a fleet on servers through its life (stand-in for OpenClaw)", missing ?? findServerLack(), () => {
  let project: CloudProject;
  let list: TenantInput[];
  /** An ssh that takes note of being called, tokens that only read, and no agent. */
  let onlooker: Record<string, string>;
  /** Everything the engine printed so far, secrets never asked for. */
  const printed: string[] = [];

  const setList = (change: (entries: TenantInput[]) => TenantInput[]): void => {
    list = change(list);
    project.writeTenants(list);
  };
  const edit = (id: string, more: Partial<TenantInput>): void => {
    setList((entries) => entries.map((entry) => (entry.id === id ? { ...entry, ...more } : entry)));
  };
  const wasCalled = (): boolean => existsSync(join(project.dir, "ssh-was-called"));
  const containers = (): ReturnType<typeof containersOn> => containersOn(project, "host-1", "host-2");
  const expectServed = async (id: string, host: string, body = `stand-in of ${id}`): Promise<void> => {
    const { ipv4 = "", ipv6 = "" } = (await project.outputs()).hosts[host] ?? {};
    for (const address of [ipv4, ipv6])
      await expect.poll(() => askAsCloudflare(project, id, address), { timeout: 60_000, interval: 500 }).toEqual({ status: 200, body });
  };
  const namesAt = (): Record<string, unknown> =>
    Object.fromEntries(
      Object.values(project.records("cloudflare").items)
        .filter(({ type }) => type === "DnsRecord")
        .map(({ inputs }) => [`${String(inputs["name"])} ${String(inputs["type"])}`, inputs["content"]]),
    );
  const fail = async (...args: string[]): Promise<string> => {
    const { exitCode, output } = await project.pulumi(args);
    if (exitCode === 0) throw new Error(`pulumi ${args.join(" ")} did not fail:\n${output}`);
    return output;
  };

  beforeAll(async () => {
    if (local === undefined) return;
    project = await createCloudProject({ image: await buildStandIn(local), hasMachines: true });
    project.writeHosts(hosts);
    const engine = { ...project };
    project.pulumi = async (...args) => {
      const ended = await engine.pulumi(...args);
      if (!args[0].includes("--show-secrets")) printed.push(ended.output);
      return ended;
    };
    project.up = async (...args) => {
      const output = await engine.up(...args);
      printed.push(output);
      return output;
    };
    const path = "openclaw-tenants:secrets.acme.CANARY_KEY";
    await execa("pulumi", ["config", "set", "--secret", "--path", path, "--non-interactive"], { cwd: project.dir, env: project.env, input: canary });
    list = [
      clientOn(project, "host-1", 0, "acme", { env: ["CANARY_KEY"] }),
      clientOn(project, "host-1", 1, "globex"),
      clientOn(project, "host-2", 2, "initech"),
    ];
    project.writeTenants(list);
    const bin = join(project.dir, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "ssh"), `#!/bin/sh\n: > ${project.dir}/ssh-was-called\nexit 255\n`, { mode: 0o755 });
    onlooker = { ...TOKENS.readOnly, SSH_AUTH_SOCK: "", PATH: `${bin}:${project.env["PATH"] ?? ""}` };
  });
  afterAll(() => project.dispose());

  it("is previewed whole from empty accounts by somebody who may only read, and nothing is connected to", async () => {
    const { exitCode, output } = await project.pulumi(["preview"], { env: onlooker });

    expect(exitCode, output).toBe(0);
    for (const name of ["host-1-server", "host-2-server", "host-1-data", "host-2-ready", "acme-gateway", "initech-gateway", "globex-aaaa", "host-2-edge"])
      expect(output).toContain(` ${name} create`);
    expect(wasCalled()).toBe(false);
    expect(project.records("hcloud").items).toEqual({});
  });

  it("comes up from empty accounts, and every tenant answers through Caddy with TLS for its name", async () => {
    await project.up();

    await expectServed("acme", "host-1");
    await expectServed("globex", "host-1");
    await expectServed("initech", "host-2");
    const { hosts: servers } = await project.outputs();
    expect(namesAt()).toMatchObject({
      "acme.example.com A": servers["host-1"]?.ipv4,
      "acme.example.com AAAA": servers["host-1"]?.ipv6,
      "initech.example.com A": servers["host-2"]?.ipv4,
    });
    const records = Object.values(project.records("cloudflare").items).filter(({ type }) => type === "DnsRecord");
    expect(records).toHaveLength(6);
    for (const { inputs } of records) expect(inputs).toMatchObject({ proxied: true, ttl: 1 });
  });

  it("changes nothing when nothing changed, refreshed or not", async () => {
    const before = await containers();
    await project.up("--expect-no-changes");
    await project.up("--refresh", "--expect-no-changes");
    expect(await containers()).toEqual(before);
  });

  it("is previewed while it runs by somebody who may only read, and nothing is connected to", async () => {
    const { exitCode, output } = await project.pulumi(["preview", "--expect-no-changes"], { env: onlooker });
    expect(exitCode, output).toBe(0);
    expect(wasCalled()).toBe(false);
  });

  it("shows no secret in what the engine prints, in the state, in the accounts, nor in anything written on a host", async () => {
    const ids = Object.keys(hosts).map((host) => nameMachine(project.stack, host));
    expect(await project.dockerOn("host-1")("exec", `openclaw-${project.stack}-acme`, "env")).toContain(`CANARY_KEY=${canary}`);
    await project.pulumi(["preview", "--diff"]);
    const { tokens } = await project.outputs();
    const open = (await project.pulumi(["stack", "export", "--show-secrets"])).output;
    // Of each key a line that no other has: the first one of two in the same format may be alike.
    const pems = [...open.matchAll(/-----BEGIN (?:\w+ )?PRIVATE KEY-----([A-Za-z0-9+/=\\]+?)-----END/g)].map(([, body = ""]) =>
      body.split(/\\+n/).filter(Boolean),
    );
    const keys = new Set(pems.map((body) => body.at(-2) ?? body.at(-1) ?? ""));
    const secrets = [canary, ...Object.values(TOKENS.full), ...Object.values(tokens).flatMap(({ gateway, hooks }) => [gateway, hooks]), ...keys];
    // Cloudflare's key and one of each host, each in a format or two.
    expect(keys.size).toBeGreaterThanOrEqual(3);
    expect(secrets.filter((secret) => secret.length >= 30)).toHaveLength(1 + 2 + 2 * 3 + keys.size);
    const readableIn = (text: string): number => secrets.filter((secret) => text.includes(secret)).length;

    const servers = Object.values(project.records("hcloud").items).filter(({ type, name }) => type === "Server" && ids.includes(name));
    const accounts = (["hcloud", "cloudflare"] as const).map((api) =>
      JSON.stringify(project.records(api), (key, value: unknown) => (key === "userData" ? "" : value)),
    );
    const written = Object.keys(hosts).map(async (host) => {
      const docker = project.dockerOn(host);
      const all = lines(await docker("ps", "--all", "--quiet"));
      return [
        readFileSync(join(serverDir(project.world, nameMachine(project.stack, host)), "console.log"), "utf8"),
        await docker("inspect", "--format", "{{json .Config.Labels}} {{.Path}} {{json .Args}}", ...all),
        await project.onHost(host, "ps -eo args"),
        await project.onHost(host, "find /var/log /run /tmp -type f -not -path '/run/docker/*' | xargs cat"),
        ...(await Promise.all(all.map((container) => project.onHost(host, `docker logs ${container} 2>&1`)))),
      ].join("\n");
    });
    const places = { printed, state: [await project.exportState()], accounts, hosts: await Promise.all(written) };
    for (const [where, texts] of Object.entries(places)) {
      expect(texts.join("").length, where).toBeGreaterThan(1000);
      expect(readableIn(texts.join("\n")), `secrets readable in ${where}`).toBe(0);
    }
    // One key each, the host's own, and nothing else.
    const userData = servers.map(({ inputs }) => String(inputs["userData"]));
    expect(userData.map(readableIn)).toEqual([1, 1]);
    expect(userData[0]).not.toBe(userData[1]);
  });

  it("touches only the new tenant and its host's routes when one is added", async () => {
    const before = await containers();
    setList((entries) => [...entries, clientOn(project, "host-2", 3, "hooli")]);
    expect(await previewSteps(project)).toEqual([...wholeOnServer("create", "hooli"), "replace Container host-2-load"].toSorted());
    await project.up();

    await expectServed("hooli", "host-2");
    expect(without(await containers(), "hooli", "hooli.config", "hooli.directories", "hooli.prepare", "host-2.load")).toEqual(without(before, "host-2.load"));
  });

  it("stops a suspended tenant alone, keeps its data, tokens and name, and brings it back", async () => {
    const { tokens } = await project.outputs();
    await project.onHost("host-2", `echo precious > ${dataOf("hooli")}/workspace/notes.md`);
    edit("hooli", { status: "suspended" });
    expect(await previewSteps(project)).toEqual([...runningOnServer("delete", "hooli"), "replace Container host-2-load"].toSorted());
    await project.up();

    const { hosts: servers } = await project.outputs();
    expect(await askAsCloudflare(project, "hooli", servers["host-2"]?.ipv4 ?? "")).toMatchObject({ status: 503 });
    expect(namesAt()["hooli.example.com A"]).toBe(servers["host-2"]?.ipv4);
    edit("hooli", { status: "active" });
    await project.up();

    await expectServed("hooli", "host-2");
    expect(await project.onHost("host-2", `cat ${dataOf("hooli")}/workspace/notes.md`)).toBe("precious");
    expect((await project.outputs()).tokens).toEqual(tokens);
  });

  it("refuses in the preview a change of host that says nothing of the data", async () => {
    edit("hooli", { host: "host-1" });
    expect(await fail("preview")).toContain(
      'tenant "hooli" has its data on host "host-2"; a change of host to "host-1" would start it empty: say moveFrom: "host-2"',
    );
  });

  it("moves a tenant with its data and its name, and nobody else", async () => {
    const before = await containers();
    const { tokens } = await project.outputs();
    edit("hooli", { host: "host-1", moveFrom: "host-2" });
    await project.up();

    await expectServed("hooli", "host-1");
    expect(await project.onHost("host-1", `cat ${dataOf("hooli")}/workspace/notes.md`)).toBe("precious");
    expect(await project.onHost("host-2", `cat ${dataOf("hooli")}/state/.openclaw-tenant`)).toMatch(/^left:/);
    expect(Object.keys(await containersOn(project, "host-2"))).not.toContain("hooli");
    expect(namesAt()["hooli.example.com A"]).toBe((await project.outputs()).hosts["host-1"]?.ipv4);
    expect((await project.outputs()).tokens).toEqual(tokens);
    const neighbours = ["acme", "globex", "initech", "host-1.edge", "host-2.edge"];
    const after = await containers();
    for (const name of neighbours) expect(after[name], name).toEqual(before[name]);
    await project.up("--expect-no-changes");
  });

  it("moves it back with what it wrote meanwhile, not with what it left behind", async () => {
    await project.onHost("host-1", `echo newer > ${dataOf("hooli")}/workspace/notes.md`);
    edit("hooli", { host: "host-2", moveFrom: "host-1" });
    await project.up();

    await expectServed("hooli", "host-2");
    expect(await project.onHost("host-2", `cat ${dataOf("hooli")}/workspace/notes.md`)).toBe("newer");
  });

  it("forgets nothing when a move fails: the old host has the data until the new one has all of it", async () => {
    await project.onHost("host-1", `echo foreign > ${dataOf("hooli")}/state/.openclaw-tenant`);
    edit("hooli", { host: "host-1", moveFrom: "host-2" });
    expect(await fail("up", "--yes", "--skip-preview")).toContain("another tenant's data is in its place");
    expect((await project.outputs()).tenants["hooli"]?.host).toBe("host-2");

    await project.onHost("host-1", `rm -rf ${dataOf("hooli")}`);
    await project.up();
    await expectServed("hooli", "host-1");
    expect(await project.onHost("host-1", `cat ${dataOf("hooli")}/workspace/notes.md`)).toBe("newer");
  });

  it("keeps a removed tenant's directory, and gives it back only to who says so", async () => {
    setList((entries) => entries.filter(({ id }) => id !== "hooli"));
    expect(await previewSteps(project)).toEqual([...wholeOnServer("delete", "hooli"), "replace Container host-1-load"].toSorted());
    await project.up();

    expect(await project.onHost("host-1", `cat ${dataOf("hooli")}/workspace/notes.md`)).toBe("newer");
    expect(Object.keys(namesAt()).filter((name) => name.startsWith("hooli"))).toEqual([]);
    setList((entries) => [...entries, clientOn(project, "host-1", 3, "hooli")]);
    expect(await fail("preview")).toContain('data of a removed tenant "hooli" is kept on host "host-1"; say adopt: true');
    edit("hooli", { adopt: true });
    await project.up();
    await expectServed("hooli", "host-1");
    expect(await project.onHost("host-1", `cat ${dataOf("hooli")}/workspace/notes.md`)).toBe("newer");
  });

  it("lets nobody land on the root disk while the data volume is away", async () => {
    await project.onHost("host-2", "docker stop $(docker ps --quiet) && umount /srv/openclaw");
    setList((entries) => [...entries, clientOn(project, "host-2", 4, "umbrella")]);
    const said = await fail("up", "--yes", "--skip-preview", "--target", "**umbrella**");
    expect(said).toContain('tenant "umbrella" has no place for its data: the data volume is not mounted');
    expect(await project.onHost("host-2", "ls -A /srv/openclaw")).toBe("");

    await project.onHost("host-2", "/usr/local/sbin/openclaw-data");
    const running = ["gateway", "edge"].map((role) => `$(docker ps --all --quiet --filter label=openclaw-tenants.role=${role})`);
    await project.onHost("host-2", `docker start ${running.join(" ")}`);
    // As the message says: a job that failed for a reason outside runs again when it is told to.
    const urn = /pulumi up --replace '([^']+)'/.exec(said)?.[1] ?? "";
    await project.up("--replace", urn);
    await expectServed("umbrella", "host-2");
  });

  it("deletes nothing at all while it is protected", async () => {
    const [before, things, state] = [await containers(), project.records("hcloud").items, await project.exportState()];
    expect(await fail("destroy", "--yes")).toContain("because it is protected");
    expect(project.records("hcloud").items).toEqual(things);
    expect(await containers()).toEqual(before);
    expect(await project.exportState()).toBe(state);
  });

  it("leaves volumes and addresses when it is unprotected and destroyed, and nothing else", async () => {
    project.writeHosts({ "host-1": { protected: false }, "host-2": { protected: false } });
    await project.up();
    const { exitCode, output } = await project.pulumi(["destroy", "--yes"]);

    expect(exitCode, output).toBe(0);
    const left = Object.values(project.records("hcloud").items).map(({ type, labels }) => `${type} ${labels["openclaw-tenants.host"] ?? ""}`);
    expect(left.toSorted()).toEqual(["host-1", "host-2"].flatMap((id) => [`PrimaryIp ${id}`, `PrimaryIp ${id}`, `Volume ${id}`]).toSorted());
    expect(namesAt()).toEqual({});
  });
});
