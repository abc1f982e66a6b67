import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, expect, it } from "vitest";
import { z } from "zod";

import { AUTHORED_PATH, SKILLS_PATH } from "../../plan/host.ts";
import { SIZES } from "../../plan/limits.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { type RunningFleet, startFleet } from "./fleet.ts";

const WORKSPACE = "/home/node/.openclaw/workspace";
const SEEDED = "What a tenant starts with.\n";
const { memoryMb, cpus, pids } = SIZES.small;
const MIB = 1024 * 1024;

const Skills = z.object({ skills: z.array(z.looseObject({ name: z.string(), source: z.string() })) });

describeWhere("a tenant beside its neighbour", findMachine().missing, () => {
  let fleet: RunningFleet;
  const seedFile = (name: string): string => join(fleet.project.dir, "tenants", "acme", "workspace", name);
  /** Runs a script in a tenant's container: "ok" and what it printed, or "failed" and its last words. */
  const attempt = async (tenant: string, script: string): Promise<string> =>
    (await fleet.exec(tenant, "sh", "-c", `if said=$({ ${script}; } 2>&1); then echo "ok: $said"; else echo "failed: $said"; fi`)).trim();
  const get = async (tenant: string, address: string): Promise<string> => attempt(tenant, `curl -sS --max-time 5 http://${address}/healthz`);
  const inspect = async (tenant: string, format: string): Promise<string> =>
    (await fleet.project.docker("inspect", "--format", format, fleet.tenants[tenant]?.container ?? "")).trim();
  const sourcesOf = async (tenant: string): Promise<Record<string, string>> => {
    const { skills } = Skills.parse(JSON.parse(await fleet.exec(tenant, "sh", "-c", "node openclaw.mjs skills list --json 2>/dev/null")));
    return Object.fromEntries(skills.map(({ name, source }) => [name, source]));
  };

  beforeAll(async () => {
    fleet = await startFleet(
      (port) => [
        { id: "acme", name: "Acme", host: "local", port: port(0), size: "small", skills: { author: true } },
        { id: "globex", name: "Globex", host: "local", port: port(1), size: "small", skills: { authored: true } },
      ],
      { files: { "tenants/acme/workspace/SEEDED.md": SEEDED } },
    );
    return async () => fleet.project.dispose();
  });

  it("cannot reach the neighbour's container", async () => {
    const address = await inspect("globex", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
    expect(await get("globex", `${address}:18789`)).toMatch(/^ok: .*"ok":true/);
    expect(await get("acme", `${address}:18789`)).toMatch(/^failed: /);
  });

  it("cannot reach the neighbour's published port through any address of the host", async () => {
    const port = fleet.tenants["globex"]?.port ?? 0;
    expect((await fleet.onLoopback("globex", { target: "/healthz" })).status).toBe(200);
    const gateways = await Promise.all(["acme", "globex"].map(async (tenant) => inspect(tenant, "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}")));
    const bridge = (await fleet.project.docker("network", "inspect", "bridge", "--format", "{{range .IPAM.Config}}{{.Gateway}}{{end}}")).trim();
    for (const address of [...gateways, bridge, "127.0.0.1", "host.docker.internal"])
      expect([address, await get("acme", `${address}:${port}`)]).toEqual([address, expect.stringMatching(/^failed: /)]);
  });

  it("finds no neighbour by name", async () => {
    for (const name of ["globex", fleet.tenants["globex"]?.container ?? ""]) expect(await get("acme", `${name}:18789`)).toMatch(/^failed: .*resolve/);
  });

  it.each(["as it was made", "after a restart"])("is held by its limits and has no rights, %s", async (when) => {
    if (when === "after a restart") {
      await fleet.project.docker("restart", fleet.tenants["acme"]?.container ?? "");
      await expect.poll(async () => inspect("acme", "{{.State.Health.Status}}"), { timeout: 180_000, interval: 1000 }).toBe("healthy");
    }
    const host: unknown = JSON.parse(await inspect("acme", "{{json .HostConfig}}"));
    expect(host).toMatchObject({
      CapDrop: ["ALL"],
      Init: true,
      Memory: memoryMb * MIB,
      MemorySwap: memoryMb * MIB,
      NanoCpus: cpus * 1e9,
      PidsLimit: pids,
      PortBindings: { "18789/tcp": [{ HostIp: "127.0.0.1", HostPort: `${fleet.tenants["acme"]?.port ?? 0}` }] },
      Privileged: false,
      ReadonlyRootfs: true,
      RestartPolicy: { Name: "unless-stopped" },
      SecurityOpt: ["no-new-privileges"],
    });
    expect(await attempt("acme", "id -u; id -g")).toBe("ok: 1000\n1000");
    const status = await attempt("acme", "grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs)' /proc/1/status | tr -s '\\t\\n' ' '");
    expect(status).toBe(`ok: ${["Inh", "Prm", "Eff", "Bnd", "Amb"].map((kind) => `Cap${kind}: 0000000000000000`).join(" ")} NoNewPrivs: 1`);
    // The second is where cgroup version 1 keeps it.
    expect(await attempt("acme", "cat /sys/fs/cgroup/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids/pids.max")).toBe(`ok: ${pids}`);
    for (const path of ["/", "/app", "/usr/local/bin", "/etc/openclaw", "/home/node"])
      expect([path, await attempt("acme", `touch ${path}/mark`)]).toEqual([path, expect.stringMatching(/^failed: .*(Read-only|Permission denied)/)]);
    for (const path of ["/tmp", "/home/node/.openclaw", WORKSPACE]) expect([path, await attempt("acme", `touch ${path}/mark`)]).toEqual([path, "ok:"]);
    expect(await attempt("acme", "ls /var/run/docker.sock /run/docker.sock")).toMatch(/^failed: /);
  });

  it("has the shared library and cannot write it", async () => {
    expect((await sourcesOf("acme"))["house-style"]).toBe("openclaw-extra");
    expect(await attempt("acme", `touch ${SKILLS_PATH}/mark`)).toMatch(/^failed: .*Read-only/);
  });

  it("reads what the authoring instance writes, and cannot write it", async () => {
    const skill = "---\nname: greeting\ndescription: how we greet\n---\nSay hello.\n";
    expect(
      await attempt("acme", `mkdir ${AUTHORED_PATH}/greeting && printf '%b' '${skill.replaceAll("\n", "\\n")}' > ${AUTHORED_PATH}/greeting/SKILL.md`),
    ).toBe("ok:");
    expect(await fleet.exec("globex", "cat", `${AUTHORED_PATH}/greeting/SKILL.md`)).toBe(skill.trimEnd());
    expect((await sourcesOf("globex"))["greeting"]).toBe("openclaw-extra");
    expect(await attempt("globex", `echo changed > ${AUTHORED_PATH}/greeting/SKILL.md`)).toMatch(/^failed: .*Read-only/);
  });

  it("starts with its seed files and keeps what it made of them", async () => {
    expect(await fleet.exec("acme", "cat", `${WORKSPACE}/SEEDED.md`)).toBe(SEEDED.trimEnd());
    expect(await attempt("globex", `cat ${WORKSPACE}/SEEDED.md`)).toMatch(/^failed: /);
    expect(await attempt("acme", `echo mine > ${WORKSPACE}/SEEDED.md`)).toBe("ok:");

    // The job runs again, because its files have changed.
    const before = await fleet.project.docker("inspect", "--format", "{{.Id}}", `${fleet.tenants["acme"]?.container ?? ""}.prepare`);
    mkdirSync(join(fleet.project.dir, "tenants", "acme", "workspace"), { recursive: true });
    writeFileSync(seedFile("SEEDED.md"), `${readFileSync(seedFile("SEEDED.md"), "utf8")}And more.\n`);
    writeFileSync(seedFile("LATER.md"), "Too late.\n");
    await fleet.project.up();

    expect(await fleet.project.docker("inspect", "--format", "{{.Id}}", `${fleet.tenants["acme"]?.container ?? ""}.prepare`)).not.toBe(before);
    expect(await fleet.exec("acme", "cat", `${WORKSPACE}/SEEDED.md`)).toBe("mine");
    expect(await attempt("acme", `ls ${WORKSPACE}/LATER.md`)).toMatch(/^failed: /);
  });
});
