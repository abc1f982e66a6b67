import { afterAll, beforeAll, expect, it } from "vitest";

import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { createProject, type TestProject } from "../support/project.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { ask, containersOf, entry, readVolume } from "./observe.ts";

const { missing, local } = findMachine();

/** The marker is written and read by the prepare job, so a small HTTP server stands in for OpenClaw. */
describeWhere("data whose stack was forgotten (stand-in for OpenClaw)", missing, () => {
  let project: TestProject;
  const readNote = async (): Promise<string> => readVolume(project, local?.caddyImage ?? "", `openclaw-${project.stack}-acme.workspace`, "notes.md");
  const readOwner = async (): Promise<string> => readVolume(project, local?.caddyImage ?? "", `openclaw-${project.stack}-acme.state`, ".openclaw-tenant");

  beforeAll(async () => {
    if (local === undefined) return;
    project = await createProject((port) => [entry({ port }, 0, "acme")], { image: await buildStandIn(local) });
    await project.up();
    await project.docker("exec", `openclaw-${project.stack}-acme`, "sh", "-c", "echo precious > /home/node/.openclaw/workspace/notes.md");
  });
  afterAll(() => project.dispose());

  it("is refused by its own marker, and untouched, when nothing else remembers it", async () => {
    const owner = await readOwner();
    for (const args of [
      ["destroy", "--yes", "--skip-preview"],
      ["stack", "rm", "--yes", "--force", "--preserve-config", project.stack],
      ["stack", "init", project.stack],
    ]) {
      const { exitCode, output } = await project.pulumi(args);
      expect(exitCode, output).toBe(0);
    }
    project.writeTenants([entry(project, 0, "acme"), entry(project, 1, "globex")]);

    const { exitCode, output } = await project.pulumi(["up", "--yes", "--skip-preview"]);

    expect(exitCode).not.toBe(0);
    expect(output).toContain(
      `tenant "acme" cannot use its data: volume openclaw-${project.stack}-acme.state belongs to an earlier tenant of this id; say adopt: true if it is the same client, else choose another id`,
    );
    expect(Object.keys(await containersOf(project))).not.toContain("acme");
    expect(await readNote()).toBe("precious");
    expect(await readOwner()).toBe(owner);
  });

  it("holds back nobody else while it is refused", async () => {
    expect(await ask(project, "globex")).toEqual({ status: 200, body: "stand-in of globex" });
  });

  it("is refused again as long as the entry says nothing else", async () => {
    const { exitCode, output } = await project.pulumi(["up", "--yes", "--skip-preview"]);

    expect(exitCode).not.toBe(0);
    expect(output).toContain('tenant "acme" cannot use its data');
  });

  it("comes back to an entry that adopts it, under a new owner", async () => {
    const owner = await readOwner();
    project.writeTenants([entry(project, 0, "acme", { adopt: true }), entry(project, 1, "globex")]);

    await project.up();

    expect(await ask(project, "acme")).toMatchObject({ status: 200 });
    expect(await readNote()).toBe("precious");
    expect(await readOwner()).not.toBe(owner);
    await project.up("--expect-no-changes");
  });
});
