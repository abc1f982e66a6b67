import { afterAll, beforeAll, expect, it } from "vitest";

import type { TenantInput } from "../../tenants/schema.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { createProject, type StackOutputs, type TestProject } from "../support/project.ts";
import { ask, containersOf, entry, lines, previewSteps, readVolume, runningPart, volumesOf, wholeTenant, without } from "./observe.ts";

const { missing, local } = findMachine();
/** Slow machines start a gateway in minutes. */
const settings = { startTimeoutSeconds: 420 };

/** The states of one fleet, one after another: each test starts where the one before it ended. */
describeWhere("a fleet of real gateways through its life", missing, () => {
  let project: TestProject;
  let neighbours: TenantInput[];
  const initech = (more: Partial<TenantInput> = {}): TenantInput => entry(project, 2, "initech", more);
  const setList = (...more: TenantInput[]): void => {
    project.writeTenants([...neighbours, ...more]);
  };
  const inGateway = async (script: string): Promise<string> => project.docker("exec", `openclaw-${project.stack}-initech`, "sh", "-c", script);
  const readOwner = async (): Promise<string> => readVolume(project, local?.caddyImage ?? "", `openclaw-${project.stack}-initech.state`, ".openclaw-tenant");
  let before: StackOutputs;

  beforeAll(async () => {
    project = await createProject((port) => [entry({ port }, 0, "acme"), entry({ port }, 1, "globex")], settings);
    neighbours = [entry(project, 0, "acme"), entry(project, 1, "globex")];
  });
  afterAll(() => project.dispose());

  it("serves every tenant of the list through Caddy and no other name", async () => {
    await project.up();

    for (const { id } of neighbours) expect(await ask(project, id)).toMatchObject({ status: 200 });
    expect(await ask(project, "nobody")).toMatchObject({ status: 421 });
  });

  it("changes nothing in a second run, nor in one after a refresh", async () => {
    const running = await containersOf(project);
    expect(Object.keys(running)).toContain("acme");

    await project.up("--expect-no-changes");
    await project.up("--refresh", "--expect-no-changes");

    expect(await containersOf(project)).toEqual(running);
  });

  it("touches only the new tenant and its host's load job when one is added", async () => {
    const running = await containersOf(project);
    setList(initech());

    expect(await previewSteps(project)).toEqual([...wholeTenant("create", "initech"), "replace Container local-load"].toSorted());
    await project.up();

    expect(await containersOf(project)).toMatchObject(without(running, "local.load"));
    expect(await ask(project, "initech")).toMatchObject({ status: 200 });
  });

  it("replaces only the config writer when a value changes that OpenClaw takes over while it runs", async () => {
    const running = await containersOf(project);
    setList(initech({ config: { logging: { level: "debug" } } }));

    expect(await previewSteps(project)).toEqual(["replace Container initech-config"]);
    await project.up();

    expect(without(await containersOf(project), "initech.config")).toEqual(without(running, "initech.config"));
    expect(JSON.parse(await inGateway('cat "$OPENCLAW_CONFIG_PATH"'))).toMatchObject({ logging: { level: "debug" } });
  });

  it("replaces the gateway, and nobody else's, when a value changes that needs a new start", async () => {
    const running = await containersOf(project);
    setList(initech({ config: { tools: { profile: "minimal" } } }));

    expect(await previewSteps(project)).toEqual(["replace Container initech-config", "replace Container initech-gateway"]);
    await project.up();

    const now = await containersOf(project);
    expect(without(now, "initech.config", "initech")).toEqual(without(running, "initech.config", "initech"));
    expect(now["initech"]?.id).not.toBe(running["initech"]?.id);
    expect(JSON.parse(await inGateway('cat "$OPENCLAW_CONFIG_PATH"'))).toMatchObject({ tools: { profile: "minimal" } });
  });

  it("takes a suspended tenant's container away and shows a page in its place", async () => {
    await inGateway("echo precious > /home/node/.openclaw/workspace/notes.md");
    before = await project.outputs();
    const running = await containersOf(project);
    setList(initech({ status: "suspended" }));

    expect(await previewSteps(project)).toEqual([...runningPart("delete", "initech"), "replace Container local-load"].toSorted());
    await project.up();

    expect(without(await containersOf(project), "local.load")).toEqual(without(running, "local.load", "initech", "initech.config", "initech.prepare"));
    const answer = await ask(project, "initech", "/");
    expect(answer.status).toBe(503);
    expect(answer.body).toContain("This assistant is paused");
  });

  it("brings a resumed tenant back with its data, its tokens and its owner", async () => {
    const [owner, running] = [await readOwner(), await containersOf(project)];
    setList(initech());
    await project.up();

    expect(await containersOf(project)).toMatchObject(without(running, "local.load"));
    expect(await ask(project, "initech")).toMatchObject({ status: 200 });
    expect(await inGateway("cat /home/node/.openclaw/workspace/notes.md")).toBe("precious");
    expect((await project.outputs()).tokens["initech"]).toEqual(before.tokens["initech"]);
    expect(await inGateway('printf %s "$OPENCLAW_GATEWAY_TOKEN"')).toBe(before.tokens["initech"]?.gateway);
    expect(owner).toMatch(/^[0-9a-f-]{36}$/);
    expect(await readOwner()).toBe(owner);
  });

  it("refuses in the preview to start a tenant empty on another host", async () => {
    const edge = { network: local?.edgeNetwork, httpPort: project.httpPort };
    const host = { kind: "docker", memoryMb: 1_000_000, cpus: 2, edge };
    project.writeSettings({ ...settings, hosts: { local: host, other: { ...host, endpoint: "ssh://nobody@192.0.2.1" } } });
    setList(initech({ host: "other" }));

    const { exitCode, output } = await project.pulumi(["preview"]);

    project.writeSettings(settings);
    expect(output).toContain(
      'tenant "initech" has its data on host "local"; a change of host to "other" would start it empty: say moveFrom: "local" to carry its data along, or put host back',
    );
    expect(exitCode).not.toBe(0);
  });

  it("removes one tenant without touching another, and keeps its data", async () => {
    const running = await containersOf(project);
    setList();

    expect(await previewSteps(project)).toEqual([...wholeTenant("delete", "initech"), "replace Container local-load"].toSorted());
    await project.up();

    expect(without(await containersOf(project), "local.load")).toEqual(without(running, "local.load", "initech", "initech.config", "initech.prepare"));
    expect(await ask(project, "initech")).toMatchObject({ status: 421 });
    expect(await volumesOf(project, "tenant=initech")).toEqual([`openclaw-${project.stack}-initech.state`, `openclaw-${project.stack}-initech.workspace`]);
    expect((await project.outputs()).retained).toEqual({ initech: "local" });
  });

  it("remembers a removed tenant through a run that changes nothing", async () => {
    await project.up("--expect-no-changes");

    expect((await project.outputs()).retained).toEqual({ initech: "local" });
  });

  it("refuses in the preview to give a removed tenant's data to a new entry of its id", async () => {
    setList(initech());

    const { exitCode, output } = await project.pulumi(["preview"]);

    expect(output).toContain('data of a removed tenant "initech" is kept on host "local"; say adopt: true if this is the same client, else choose another id');
    expect(exitCode).not.toBe(0);
  });

  it("gives the same data back to an entry that adopts it", async () => {
    setList(initech({ adopt: true }));
    await project.up();

    expect(await inGateway("cat /home/node/.openclaw/workspace/notes.md")).toBe("precious");
    const { retained, tokens } = await project.outputs();
    expect(retained).toEqual({});
    expect(tokens["initech"]?.gateway).not.toBe(before.tokens["initech"]?.gateway);
    expect(await ask(project, "initech")).toMatchObject({ status: 200 });
  });

  it("lets the word adopt go again without a restart", async () => {
    const running = await containersOf(project);
    setList(initech());
    await project.up();

    expect(without(await containersOf(project), "initech.prepare")).toEqual(without(running, "initech.prepare"));
  });

  it("leaves no container and no network when it is destroyed, and all data", async () => {
    const { exitCode, output } = await project.pulumi(["destroy", "--yes", "--skip-preview"]);

    expect(exitCode, output).toBe(0);
    expect(await containersOf(project)).toEqual({});
    expect(lines(await project.docker("network", "ls", "--quiet", "--filter", `label=openclaw-tenants.stack=${project.stack}`))).toEqual([]);
    const data = ["acme", "globex", "initech"].flatMap((id) => [`openclaw-${project.stack}-${id}.state`, `openclaw-${project.stack}-${id}.workspace`]);
    expect(await volumesOf(project)).toEqual(data);
    expect(await readVolume(project, local?.caddyImage ?? "", `openclaw-${project.stack}-initech.workspace`, "notes.md")).toBe("precious");
  });
});
