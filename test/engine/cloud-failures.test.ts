import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

import { countFaults, type Fault, planFaults } from "../standin/faults.ts";
import type { OfferedType } from "../standin/hcloud/offers.ts";
import { writeJson } from "../standin/world.ts";
import { clientOn, type CloudProject, createCloudProject, DOMAIN, type HetznerInput, TOKENS } from "../support/cloud-project.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import type { Run } from "../support/project.ts";
import { accountsOf, type Api, recordedOf } from "./accounts.ts";
import { startUp, waitWhile } from "./running-update.ts";

const { missing, local } = findMachine();

/** Everything but what Docker has on servers, which here are records and no machines. */
const WITHOUT_DOCKER = [
  "hcloud:index/",
  "cloudflare:index/",
  "tls:index/",
  "openclaw:index:*::",
  "$command:remote:Command::",
  "pulumi:providers:docker::",
].flatMap((part) => ["--target", `**${part}**`]);

interface Failure {
  failure: string;
  fault: Fault;
  /** Answers of Hetzner's API, and of Cloudflare's, until their plug-ins give up. */
  times: [hcloud: number, cloudflare: number];
  server: string;
  volume: string;
  record: string;
}

const BUSY = "the service is currently unavailable (unavailable";
const TOO_MANY = "limit of 3600 requests per hour reached (rate_limit_exceeded";

const FAILURES: readonly Failure[] = [
  {
    failure: "an error of its own",
    fault: { kind: "status", status: 503 },
    times: [1, 4],
    server: BUSY,
    volume: BUSY,
    record: "503 Service Unavailable",
  },
  {
    failure: "too many requests, for longer than is waited",
    fault: { kind: "rate-limit", retryAfterSeconds: 0.05 },
    times: [6, 4],
    server: TOO_MANY,
    volume: TOO_MANY,
    record: "429 Too Many Requests",
  },
  {
    failure: "a limit of the account",
    fault: { kind: "limit" },
    times: [1, 1],
    server: "server limit exceeded (resource_limit_exceeded",
    volume: "volume limit exceeded (resource_limit_exceeded",
    record: "Record quota exceeded",
  },
  {
    failure: "a name that is taken",
    fault: { kind: "name-taken" },
    times: [1, 1],
    server: "server name is already used (uniqueness_error",
    volume: "name is already used (uniqueness_error",
    record: "An identical record already exists",
  },
];

/** What an API and the engine do is the claim, so there are no machines, and ssh is a program that says yes. */
describeWhere("an order in the cloud that comes to nothing (records in place of servers)", missing, () => {
  let project: CloudProject;
  const hosts: Record<string, Partial<HetznerInput>> = {};
  const nameOf = (host: string): string => `openclaw-${project.stack}-${host}`;

  /** Adds a host, with a tenant of the same name on it. */
  const order = (...names: string[]): void => {
    for (const name of names) hosts[name] = {};
    project.writeHosts(hosts);
    project.writeTenants(Object.keys(hosts).map((id, index) => clientOn(project, id, index, id)));
  };
  const cancelOrder = (name: string): void => {
    Reflect.deleteProperty(hosts, name);
    order();
  };
  const up = async (env: Record<string, string> = {}, ...args: string[]): Promise<Run> =>
    project.pulumi(["up", "--yes", "--skip-preview", ...WITHOUT_DOCKER, ...args], { env });
  const upFails = async (env: Record<string, string> = {}): Promise<string> => {
    const { exitCode, output } = await up(env);
    expect(exitCode, output).not.toBe(0);
    return output;
  };
  /** A plain run ends well, and the accounts have what the state has: nothing twice, nothing lost. */
  const expectConverged = async (): Promise<void> => {
    planFaults(project.world, []);
    const { exitCode, output } = await up();
    expect(exitCode, output).toBe(0);
    const accounts = accountsOf(project);
    expect(await recordedOf(project)).toEqual(accounts);
    const names = accounts.map(([type, name]) => `${type} ${name}`);
    for (const host of Object.keys(hosts))
      expect(names).toEqual(expect.arrayContaining([`Server ${nameOf(host)}`, `Volume ${nameOf(host)}`, `DnsRecord ${host}.${DOMAIN}`]));
  };

  beforeAll(async () => {
    project = await createCloudProject({ image: local?.openclawImage ?? "", hasMachines: false });
    const bin = join(project.dir, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "ssh"), `#!/bin/sh\nfor each; do case $each in LocalCommand=*) eval "\${each#LocalCommand=}" ;; esac; done\n`);
    chmodSync(join(bin, "ssh"), 0o755);
    project.env["PATH"] = `${bin}:${project.env["PATH"] ?? ""}`;
    order("first");
    await expectConverged();
  });
  afterAll(() => project.dispose());

  /** Words of the engine about one resource. */
  const complaint = (said: string, type: string, name: string): string =>
    new RegExp(`^ {2}${type} \\(${name}\\):\n((?: {4}.*\n)+)`, "m").exec(said.split("\nDiagnostics:\n")[1] ?? "")?.[1] ?? "";

  it("is made once by the next plain run also when an engine that stops at the first failure was failed", async () => {
    order("stopped");
    planFaults(project.world, [{ api: "hcloud", on: "create", type: "Volume", name: nameOf("stopped"), fault: { kind: "status", status: 500 } }]);

    const said = await upFails({ PULUMI_CONTINUE_ON_ERROR: "false" });

    expect(complaint(said, "hcloud:index:Volume", "stopped-data")).toContain("internal server error (server_error");
    expect(said).not.toContain("unhandled exception");
    await expectConverged();
  });

  it("is made once by the next plain run after an API never answered and the operator pressed Ctrl-C", async () => {
    order("silent-a", "silent-b");
    planFaults(project.world, [
      { api: "hcloud", on: "create", type: "Server", name: nameOf("silent-a"), fault: { kind: "hang" } },
      { api: "hcloud", on: "create", type: "Volume", name: nameOf("silent-b"), fault: { kind: "hang" } },
      { api: "cloudflare", on: "create", type: "DnsRecord", name: `silent-a.${DOMAIN}`, times: 2, fault: { kind: "hang" } },
    ]);
    const update = startUp(project, ...WITHOUT_DOCKER);
    await waitWhile(update, "all calls were made", () => countFaults(project.world) === 0);

    process.kill(-update.pid, "SIGINT");

    expect(await update.ended, update.output).not.toEqual([0, null]);
    // The program, which has been told as well, cannot say any more what went wrong.
    expect(complaint(update.output, "hcloud:index:Server", "silent-a-server")).toContain("error: ");
    expect(complaint(update.output, "hcloud:index:Volume", "silent-b-data")).toContain("error: ");
    expect(complaint(update.output, "cloudflare:index:DnsRecord", "silent-a-a")).toContain("error: ");
    await expectConverged();
  });

  it.each<[string, Api, Record<string, string>, string]>([
    ["that nobody knows", "hcloud", { HCLOUD_TOKEN: "bad-".padEnd(64, "h") }, "unable to authenticate (unauthorized"],
    ["of Hetzner's that may only read", "hcloud", { HCLOUD_TOKEN: TOKENS.readOnly.HCLOUD_TOKEN }, "only allowed to perform GET requests (token_readonly"],
    ["of Cloudflare's that may only read", "cloudflare", { CLOUDFLARE_API_TOKEN: TOKENS.readOnly.CLOUDFLARE_API_TOKEN }, "403 Forbidden"],
  ])("is refused to a token %s, with the API's own words", async (_which, api, token, words) => {
    order("refused");
    const before = accountsOf(project, [api]);

    const said = await upFails(token);

    expect(said).toContain(words);
    expect(said).not.toContain("unhandled exception");
    expect(accountsOf(project, [api])).toEqual(before);
  });

  it("is made once by the next plain run with a good token", expectConverged);

  describe("because its type is not sold", () => {
    const sell = (...types: OfferedType[]): void => {
      writeJson(project.world, "offers.json", types);
    };
    afterAll(() => {
      rmSync(join(project.world, "offers.json"));
    });

    it.each([
      ["is sold out", [offer("cx33", 4, 8, "sold out"), offer("cx43", 8, 16)], "it is sold out in fsn1; fsn1 has cx43 (16 GiB, 15.99 EUR a month)"],
      [
        "is gone",
        [offer("cx43", 8, 16), offer("cpx32", 4, 8)],
        "Hetzner has no such type; fsn1 has cx43 (16 GiB, 15.99 EUR a month) and cpx32 (8 GiB, 35.49 EUR a month)",
      ],
    ])("is refused in the preview when that %s, with others named, before anything is made", async (_state, types, words) => {
      sell(...types);
      order("late");
      const log = project.records("hcloud").log.length;

      const preview = await project.pulumi(["preview"]);
      const said = await upFails();

      for (const output of [preview.output, said]) expect(output).toContain(`host "late", field serverType "cx33": ${words}`);
      expect(preview.exitCode).not.toBe(0);
      const calls = project.records("hcloud").log.slice(log);
      expect(calls.length).toBeGreaterThan(0);
      expect(calls.filter(({ on }) => on !== "list" && on !== "read")).toEqual([]);
    });

    it("holds back and replaces no server that there is", async () => {
      const before = accountsOf(project);
      cancelOrder("late");
      hosts["first"] = { sshFrom: ["198.51.100.7/32"] };
      order();

      await expectConverged();

      expect(accountsOf(project)).toEqual(before);
      const { rules } = z
        .object({ rules: z.array(z.object({ port: z.string().optional(), sourceIps: z.array(z.string()) })) })
        .parse(Object.values(project.records("hcloud").items).find(({ type, name }) => type === "Firewall" && name === nameOf("first"))?.inputs);
      expect(rules.find(({ port }) => port === "22")?.sourceIps).toEqual(["198.51.100.7/32"]);
    });
  });

  describe("because an API says no", () => {
    let said: string;

    beforeAll(async () => {
      // Of two hosts each: one whose volume is refused never gets as far as its server.
      order("sold-out", "patient", ...FAILURES.flatMap(({ fault: { kind } }) => [`${kind}-a`, `${kind}-b`]));
      const [soldOut, few] = [{ kind: "sold-out" }, { kind: "rate-limit", retryAfterSeconds: 0.05 }] as const;
      planFaults(project.world, [
        ...FAILURES.flatMap(({ fault, times: [hcloud, cloudflare] }): Parameters<typeof planFaults>[1] => [
          { api: "hcloud", on: "create", type: "Server", name: nameOf(`${fault.kind}-a`), times: hcloud, fault },
          { api: "hcloud", on: "create", type: "Volume", name: nameOf(`${fault.kind}-b`), times: hcloud, fault },
          // Of IPv4 and of IPv6.
          { api: "cloudflare", on: "create", type: "DnsRecord", name: `${fault.kind}-a.${DOMAIN}`, times: cloudflare * 2, fault },
        ]),
        { api: "hcloud", on: "create", type: "Server", name: nameOf("sold-out"), fault: soldOut },
        { api: "hcloud", on: "create", type: "Server", name: nameOf("patient"), times: 2, fault: few },
        { api: "cloudflare", on: "create", type: "DnsRecord", name: `patient.${DOMAIN}`, times: 2, fault: few },
      ]);
      said = await upFails();
    });

    it.each(FAILURES)("names all that is refused for $failure, with the API's own words", ({ fault: { kind }, server, volume, record }) => {
      expect(complaint(said, "hcloud:index:Server", `${kind}-a-server`)).toContain(server);
      expect(complaint(said, "hcloud:index:Volume", `${kind}-b-data`)).toContain(volume);
      expect(complaint(said, "cloudflare:index:DnsRecord", `${kind}-a-a`)).toContain(record);
      expect(complaint(said, "cloudflare:index:DnsRecord", `${kind}-a-aaaa`)).toContain(record);
    });

    it("names the server whose type was sold out between preview and order", () => {
      expect(complaint(said, "hcloud:index:Server", "sold-out-server")).toContain("error during placement (resource_unavailable");
    });

    it("says in one line each what waits for the next run, and shows no stack", () => {
      expect(complaint(said, "pulumi:pulumi:Stack", `openclaw-tenants-${project.stack}`)).toContain(
        "    error: sold-out-server failed; what needs it waits for the next run\n",
      );
      expect(said).not.toMatch(/unhandled exception|error serializing|\n +at /);
    });

    it("tells the way out where a name is taken, and only there", () => {
      const hint = /error: (\S+) is in the account and not in the state: .*`npm run recover -- --stack (\S+)`/g;
      const hinted = [...(said.split("\nDiagnostics:\n")[1] ?? "").matchAll(hint)];

      expect(hinted.map(([, name, stack]) => `${name ?? ""} ${stack ?? ""}`).toSorted()).toEqual(
        ["name-taken-a-a", "name-taken-a-aaaa", "name-taken-a-server", "name-taken-b-data"].map((name) => `${name} ${project.stack}`),
      );
    });

    it("waits as long as the API asks for, and makes in the same run what nothing was wrong with", () => {
      const names = accountsOf(project).map(([type, name]) => `${type} ${name}`);
      expect(names).toEqual(expect.arrayContaining([`Server ${nameOf("patient")}`, `DnsRecord patient.${DOMAIN}`, `DnsRecord limit-b.${DOMAIN}`]));
      expect(names).not.toContain(`Server ${nameOf("sold-out")}`);
      const tries = project.records("hcloud").log.filter(({ on, name, type }) => on === "create" && type === "Server" && name === nameOf("patient"));
      expect(tries.map(({ error }) => error?.includes("rate_limit_exceeded") ?? false)).toEqual([true, true, false]);
    });

    it("is made once by the next plain run", expectConverged);
  });

  it("leaves nothing to do once it is made", async () => {
    const { exitCode, output } = await up({}, "--expect-no-changes", "--refresh");

    expect(exitCode, output).toBe(0);
  });
});

/** A server type on sale in Falkenstein. */
function offer(name: string, cores: number, memory: number, state?: "sold out"): OfferedType {
  const place = { name: "fsn1", available: state !== "sold out", recommended: true, isDeprecated: false };
  return { name, cores, memory, disk: 80, architecture: "x86", isDeprecated: false, locations: [place] };
}
