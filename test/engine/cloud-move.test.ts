import { afterAll, beforeAll, expect, it } from "vitest";

import type { TenantInput } from "../../tenants/schema.ts";
import { findServerLack } from "../standin/machine/lack.ts";
import { clientOn, type CloudProject, createCloudProject, DOMAIN } from "../support/cloud-project.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import type { StackOutputs } from "../support/project.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { previewSteps, without } from "./observe.ts";
import { askAsCloudflare, containersOn, runningOnServer } from "./observe-cloud.ts";

const { missing, local } = findMachine();
const DATA = "/srv/openclaw/tenants/initech";
const MARKER = `${DATA}/state/.openclaw-tenant`;
/** Large enough to be broken off in the middle. */
const LARGE_MB = 20;

/** Data, hosts and names are the claim here, so a small HTTP server stands in for OpenClaw. Each test starts where the one before it ended. */
describeWhere("a tenant that moves from host to host (stand-in for OpenClaw)", missing ?? findServerLack(), () => {
  let project: CloudProject;
  let before: StackOutputs;
  let owner: string;

  const place = (host: string, more: Partial<TenantInput> = {}): void => {
    project.writeTenants([clientOn(project, "host-1", 0, "acme"), clientOn(project, "host-2", 1, "globex"), clientOn(project, host, 2, "initech", more)]);
  };
  const fail = async (...args: string[]): Promise<string> => {
    const { exitCode, output } = await project.pulumi(args);
    if (exitCode === 0) throw new Error(`pulumi ${args.join(" ")} did not fail:\n${output}`);
    return output;
  };
  const inGateway = async (host: string, script: string): Promise<string> =>
    project.dockerOn(host)("exec", `openclaw-${project.stack}-initech`, "sh", "-c", script);
  const read = async (host: string, path: string): Promise<string> => project.onHost(host, `cat ${path}`);
  /** Without the jobs of the two hosts, which load other routes. */
  const neighbours = async (): Promise<unknown> =>
    without(
      await containersOn(project, "host-1", "host-2"),
      "host-1.load",
      "host-2.load",
      "initech",
      "initech.config",
      "initech.directories",
      "initech.prepare",
    );
  const addressesOf = (id: string): string[] =>
    Object.values(project.records("cloudflare").items)
      .filter(({ type, name }) => type === "DnsRecord" && name === `${id}.${DOMAIN}`)
      .map(({ inputs }) => String(inputs["content"]))
      .toSorted();
  const expectServedBy = async (host: string): Promise<void> => {
    const { ipv4 = "", ipv6 = "" } = before.hosts[host] ?? {};
    for (const address of [ipv4, ipv6]) expect(await askAsCloudflare(project, "initech", address)).toEqual({ status: 200, body: "stand-in of initech" });
    const other = before.hosts[host === "host-1" ? "host-2" : "host-1"]?.ipv4 ?? "";
    expect(await askAsCloudflare(project, "initech", other)).toMatchObject({ status: 421 });
    expect(addressesOf("initech")).toEqual([ipv4, ipv6].toSorted());
  };

  beforeAll(async () => {
    if (local === undefined) return;
    project = await createCloudProject({ image: await buildStandIn(local), hasMachines: true });
    project.writeHosts({ "host-1": {}, "host-2": {} });
    place("host-1");
    await project.up();
    before = await project.outputs();
    owner = await read("host-1", MARKER);
    await inGateway(
      "host-1",
      `cd /home/node/.openclaw && echo remembered > memory && echo precious > workspace/notes.md && dd if=/dev/urandom of=workspace/large bs=1M count=${LARGE_MB}`,
    );
  });
  afterAll(() => project.dispose());

  it("is refused in the preview without the word, with the way to say it", async () => {
    place("host-2");

    expect(await fail("preview")).toContain(
      'tenant "initech" has its data on host "host-1"; a change of host to "host-2" would start it empty: say moveFrom: "host-1" to carry its data along, or put host back',
    );
  });

  it("touches only the tenant, both hosts' load jobs and its names", async () => {
    place("host-2", { moveFrom: "host-1" });

    expect(await previewSteps(project)).toEqual(
      [
        ...runningOnServer("replace", "initech"),
        "replace Container host-1-load",
        "replace Container host-2-load",
        "replace Volume initech-state",
        "replace Volume initech-workspace",
        "update DnsRecord initech-a",
        "update DnsRecord initech-aaaa",
      ].toSorted(),
    );
  });

  it("fails where somebody else's data is in its place, and touches none of it", async () => {
    const others = await neighbours();
    await project.onHost("host-2", `mkdir -p ${DATA}/state && echo theirs > ${DATA}/state/memory`);

    expect(await fail("up", "--yes", "--skip-preview")).toContain(
      'hook "initech-carry" failed: the data could not be carried over: another tenant\'s data is in its place',
    );

    expect(await read("host-2", `${DATA}/state/memory`)).toBe("theirs");
    expect([await read("host-1", MARKER), await read("host-1", `${DATA}/workspace/notes.md`)]).toEqual([owner, "precious"]);
    expect(await neighbours()).toEqual(others);
    await project.onHost("host-2", `rm -r ${DATA}`);
  });

  it("is remembered to be where it was after that, so that nobody starts it empty on the new host", async () => {
    expect((await project.outputs()).tenants["initech"]?.host).toBe("host-1");
    place("host-2");

    expect(await fail("preview")).toContain('tenant "initech" has its data on host "host-1"');
  });

  it("starts again on the old host, with its data, when it is put back after that", async () => {
    place("host-1");

    await project.up();

    expect(await inGateway("host-1", "cat /home/node/.openclaw/workspace/notes.md")).toBe("precious");
    await expectServedBy("host-1");
  });

  it("fails when the copy is broken off, and the data stays where it is", async () => {
    place("host-2", { moveFrom: "host-1" });
    const full = "/srv/openclaw/full";
    await project.onHost("host-2", `dd if=/dev/zero of=${full} bs=64k || truncate --size=-$((${LARGE_MB} / 2))M ${full}`);

    expect(await fail("up", "--yes", "--skip-preview")).toMatch(/hook "initech-carry" failed: the data could not be carried over: .*No space left on device/);

    expect(await read("host-2", MARKER)).toBe(`coming:${owner}`);
    expect([await read("host-1", MARKER), await read("host-1", `${DATA}/workspace/notes.md`)]).toEqual([owner, "precious"]);
    expect((await project.outputs()).tenants["initech"]?.host).toBe("host-1");
    await project.onHost("host-2", `rm ${full}`);
  });

  it("goes on with the next run: all its data is there, it runs on the new host alone, and its neighbours know nothing of it", async () => {
    const others = await neighbours();
    const large = await project.onHost("host-1", `sha256sum < ${DATA}/workspace/large`);

    await project.up();

    expect(await inGateway("host-2", "cd /home/node/.openclaw && cat memory workspace/notes.md")).toBe("remembered\nprecious");
    expect(await project.onHost("host-2", `sha256sum < ${DATA}/workspace/large`)).toBe(large);
    expect(await project.onHost("host-2", `stat --format '%a %u:%g' ${DATA} ${DATA}/state ${DATA}/workspace ${DATA}/state/memory`)).toBe(
      "700 1000:1000\n700 1000:1000\n700 1000:1000\n644 1000:1000",
    );
    expect(Object.keys(await containersOn(project, "host-1")).filter((name) => name.startsWith("initech"))).toEqual([]);
    await expectServedBy("host-2");
    expect(await neighbours()).toEqual(others);
    const { tokens, tenants } = await project.outputs();
    expect(tokens).toEqual(before.tokens);
    expect(tenants["initech"]?.host).toBe("host-2");
  });

  it("leaves a copy on the old host, marked as left", async () => {
    expect([await read("host-1", MARKER), await read("host-2", MARKER)]).toEqual([`left:${owner}`, owner]);
    expect(await read("host-1", `${DATA}/workspace/notes.md`)).toBe("precious");
  });

  it("changes nothing in the next run, whether the word stays or goes", async () => {
    await project.up("--expect-no-changes");
    place("host-2");
    await project.up("--refresh", "--expect-no-changes");
  });

  it("takes the newest data back to the host that it left", async () => {
    await inGateway("host-2", "cd /home/node/.openclaw/workspace && echo changed > notes.md && rm large && echo more > more.md");
    place("host-1", { moveFrom: "host-2" });

    await project.up();

    expect(await inGateway("host-1", "cd /home/node/.openclaw/workspace && cat notes.md && ls")).toBe("changed\nmore.md\nnotes.md");
    expect([await read("host-1", MARKER), await read("host-2", MARKER)]).toEqual([owner, `left:${owner}`]);
    await expectServedBy("host-1");
    expect((await project.outputs()).tokens).toEqual(before.tokens);
  });
});
