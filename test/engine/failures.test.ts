import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";

import type { TenantInput } from "../../tenants/schema.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { createProject, type TestProject } from "../support/project.ts";
import { buildStandIn } from "../support/standin-image.ts";
import { ask, containersOf, entry, without } from "./observe.ts";

const { missing, local } = findMachine();
/** Nobody listens there: refused at once on every machine. */
const NO_IMAGE = `127.0.0.1:9/openclaw:2026.9.6@sha256:${"0".repeat(64)}`;

/** What the engine and Caddy do is the claim here, so a small HTTP server stands in for OpenClaw. */
describeWhere("an update that fails (stand-in for OpenClaw)", missing, () => {
  let project: TestProject;
  let image: string;
  let silent: string;
  const tenant = (index: number, id: string, more: Partial<TenantInput> = {}): TenantInput => entry(project, index, id, more);
  const setList = (...more: TenantInput[]): void => {
    project.writeTenants([tenant(0, "acme"), tenant(1, "globex"), ...more]);
  };
  const upFails = async (): Promise<string> => {
    const { exitCode, output } = await project.pulumi(["up", "--yes", "--skip-preview"]);
    if (exitCode === 0) throw new Error(`pulumi up did not fail:\n${output}`);
    return output;
  };
  const expectServed = async (...ids: string[]): Promise<void> => {
    for (const id of ids) expect(await ask(project, id)).toEqual({ status: 200, body: `stand-in of ${id}` });
  };

  const waitForOldRoutes = async (): Promise<void> => {
    await expect.poll(() => ask(project, "acme"), { timeout: 60_000, interval: 200 }).toEqual({ status: 200, body: "stand-in of acme" });
  };

  beforeAll(async () => {
    if (local === undefined) return;
    [image, silent] = [await buildStandIn(local), await buildStandIn(local, "silent")];
    project = await createProject((port) => [entry({ port }, 0, "acme"), entry({ port }, 1, "globex")], { image, startTimeoutSeconds: 60 });
    await project.up();
  });
  afterAll(() => project.dispose());

  it("names the tenant whose image cannot be pulled, leaves the others running and serves a sound new one", async () => {
    const running = await containersOf(project);
    setList(tenant(2, "initech", { image: NO_IMAGE }), tenant(3, "hooli"));

    const said = await upFails();

    expect(said).toContain(`tenant "initech" cannot start: image ${NO_IMAGE} is not to be had`);
    expect(await containersOf(project)).toMatchObject(without(running, "local.load"));
    await expectServed("acme", "globex", "hooli");
  });

  it("names the tenant that never gets healthy, leaves the others running and serves a sound new one", async () => {
    const running = await containersOf(project);
    setList(tenant(2, "initech", { image: silent }), tenant(3, "hooli"), tenant(4, "umbrella"));

    const said = await upFails();

    expect(said).toContain(`tenant "initech" did not become healthy within 60 s`);
    expect(said).toContain(`docker logs --tail 50 openclaw-${project.stack}-initech`);
    expect(await containersOf(project)).toMatchObject(without(running, "local.load"));
    await expectServed("acme", "globex", "hooli", "umbrella");
  });

  it("converges with the next list that is good", async () => {
    const running = await containersOf(project);
    setList(tenant(2, "initech"), tenant(3, "hooli"), tenant(4, "umbrella"));

    await project.up();

    await expectServed("acme", "globex", "hooli", "initech", "umbrella");
    expect(await containersOf(project)).toMatchObject(without(running, "local.load", "initech", "initech.config", "initech.prepare"));
    await project.up("--expect-no-changes");
  });

  it("fails with Caddy's own words when Caddy refuses the routes, and keeps serving the old ones", async () => {
    appendFileSync(join(project.dir, "templates", "Caddyfile"), "\nhttp://refused.localhost {\n\tno_such_directive\n}\n");

    const said = await upFails();

    expect(said).toMatch(/Caddy on host "local" refuses the routes and keeps serving the old ones: .*unrecognized directive: no_such_directive/);
    await expectServed("acme", "globex", "hooli", "initech", "umbrella");
  });

  it("serves the old routes also after a restart of Caddy", async () => {
    await project.docker("restart", `openclaw-${project.stack}.local.edge`);

    await waitForOldRoutes();
    await expectServed("globex", "hooli", "initech", "umbrella");
  });

  it("does not take refused routes for loaded ones in the next run", async () => {
    expect(await upFails()).toContain("no_such_directive");
  });

  it("loads the mended routes", async () => {
    const file = join(project.dir, "templates", "Caddyfile");
    const mended = readFileSync(file, "utf8").replace("no_such_directive", 'respond "mended" 200');
    writeFileSync(file, mended.replace("http://refused.localhost {", `http://refused.localhost:${project.httpPort} {`));

    await project.up();

    expect(await ask(project, "refused")).toEqual({ status: 200, body: "mended" });
    await expectServed("acme");
  });

  it("runs a failed job again, unchanged, by the command that its message gives", async () => {
    const edge = `openclaw-${project.stack}.local.edge`;
    setList();
    await project.docker("stop", edge);
    const command = /to run it again unchanged: (pulumi up --replace '[^']+')/.exec(await upFails())?.[1];
    await project.docker("start", edge);
    await waitForOldRoutes();

    const again = await execa("sh", ["-c", `${command ?? "false"} --yes --non-interactive`], { cwd: project.dir, env: project.env, all: true, reject: false });

    expect(again.exitCode, again.all).toBe(0);
    expect(await ask(project, "hooli")).toMatchObject({ status: 421 });
    await project.up("--expect-no-changes");
  });
});
