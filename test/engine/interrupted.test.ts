import { spawn } from "node:child_process";
import { once } from "node:events";

import { afterAll, beforeAll, expect, it } from "vitest";

import { recover } from "../../tools/recover.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { createProject, type TestProject } from "../support/project.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { ask, containersOf, entry, lines, without } from "./observe.ts";

const { missing, local } = findMachine();
const ids = ["acme", "globex", "initech", "hooli"];

/** When the engine is killed: as soon as Docker has the first thing of this kind that is not from an earlier run. */
const MOMENTS = [
  { moment: "networks and volumes are made", kind: "network", role: "network" },
  { moment: "a tenant's data is prepared", kind: "container", role: "prepare" },
  { moment: "the routes are loaded", kind: "container", role: "load" },
  { moment: "a gateway is waited for", kind: "container", role: "gateway" },
] as const;

interface Update {
  pid: number;
  /** What it has printed so far. */
  output: string;
  ended: Promise<unknown>;
  isRunning(): boolean;
}

/** What is left after a SIGKILL is the engine's, the plug-ins' and Docker's doing, so a small HTTP server stands in for OpenClaw. */
describeWhere("an update that is killed (stand-in for OpenClaw)", missing, () => {
  let project: TestProject;

  const idsOf = async (kind: "container" | "network", role: string): Promise<string[]> => {
    const filters = ["--no-trunc", "--quiet", "--filter", `label=openclaw-tenants.stack=${project.stack}`, "--filter", `label=openclaw-tenants.role=${role}`];
    return lines(await project.docker(...(kind === "container" ? ["ps", "--all"] : ["network", "ls"]), ...filters));
  };
  const start = (): Update => {
    const child = spawn("pulumi", ["up", "--yes", "--skip-preview", "--non-interactive"], {
      cwd: project.dir,
      env: { ...process.env, ...project.env },
      detached: true,
    });
    if (child.pid === undefined) throw new Error("pulumi did not start");
    const update: Update = { pid: child.pid, output: "", ended: once(child, "exit"), isRunning: () => child.exitCode === null };
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (update.output += data.toString()));
    return update;
  };
  /** Waits until an update made something of a kind that was not there before, and gives its id. */
  const waitForNew = async (update: Update, kind: "container" | "network", role: string, old: readonly string[]): Promise<string> => {
    while (update.isRunning()) {
      const found = (await idsOf(kind, role)).find((id) => !old.includes(id));
      if (found !== undefined) return found;
    }
    throw new Error(`the update ended before it made a ${kind} of role ${role}:\n${update.output}`);
  };
  const kill = async ({ pid, ended }: Update): Promise<void> => {
    // The group: the language host and the program go as well, plug-ins have groups of their own and stay.
    process.kill(-pid, "SIGKILL");
    await ended;
  };

  beforeAll(async () => {
    if (local === undefined) return;
    const image = await buildStandIn(local);
    project = await createProject(() => [], { image });
  });
  afterAll(() => project.dispose());

  it.each(MOMENTS)("converges when it was killed while $moment", async ({ kind, role }) => {
    const list = ids.slice(0, MOMENTS.findIndex((each) => each.role === role) + 1);
    const added = list.at(-1) ?? "";
    const running = await containersOf(project);
    project.writeTenants(list.map((id, index) => entry(project, index, id)));

    const old = await idsOf(kind, role);
    const update = start();
    await waitForNew(update, kind, role, old);
    await kill(update);

    const locked = await project.pulumi(["up", "--yes", "--skip-preview"]);
    expect(locked.output).toContain("the stack is currently locked");
    expect(locked.exitCode).not.toBe(0);

    expect(await recover({ projectDir: project.dir, stack: project.stack, env: project.env })).toBe(true);
    await project.up();

    expect(await ask(project, added)).toEqual({ status: 200, body: `stand-in of ${added}` });
    const now = await containersOf(project);
    expect(Object.keys(now).toSorted()).toEqual(
      [...list.flatMap((id) => [id, `${id}.config`, `${id}.prepare`]), "local.edge", "local.load", "local.skills"].toSorted(),
    );
    expect(now).toMatchObject(without(running, "local.load"));
    expect((await idsOf("network", "network")).length).toBe(list.length);
    await project.up("--expect-no-changes");
    expect(await recover({ projectDir: project.dir, stack: project.stack, env: project.env })).toBe(false);
  });

  it("leaves nothing that a killed update made and could not record", async () => {
    project.writeTenants([...ids, "umbrella"].map((id, index) => entry(project, index, id)));
    const old = await idsOf("container", "gateway");
    const update = start();
    const gateway = await waitForNew(update, "container", "gateway", old);
    await kill(update);
    expect(await project.exportState()).not.toContain(gateway);
    expect(await idsOf("container", "gateway")).toContain(gateway);

    await recover({ projectDir: project.dir, stack: project.stack, env: project.env });

    expect(await idsOf("container", "gateway")).not.toContain(gateway);
    expect(await idsOf("container", "gateway")).toHaveLength(ids.length);
    await project.up();
    expect(await ask(project, "umbrella")).toMatchObject({ status: 200 });
  });

  it("respects the lock of an update that is alive", async () => {
    project.writeTenants([...ids, "umbrella", "stark"].map((id, index) => entry(project, index, id)));
    const old = await idsOf("container", "gateway");
    const update = start();
    await waitForNew(update, "container", "gateway", old);

    await expect(recover({ projectDir: project.dir, stack: project.stack, env: project.env })).rejects.toThrow(/is being updated by another process/);

    expect(await update.ended, update.output).toEqual([0, null]);
    expect(await ask(project, "stark")).toMatchObject({ status: 200 });
  });
});
