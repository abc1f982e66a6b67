import { afterAll, beforeAll, expect, it } from "vitest";

import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { findOwnDockerLack, type OwnDocker, startOwnDocker } from "../support/own-docker.ts";
import { createProject, type StackOutputs, type TestProject } from "../support/project.ts";

const DEADLINE = { timeout: 300_000, interval: 1000 };
const NOTE = "/home/node/.openclaw/workspace/note";
const machine = findMachine();

describeWhere("a fleet whose Docker daemon is restarted", machine.missing ?? findOwnDockerLack(), () => {
  let docker: OwnDocker;
  let project: TestProject;
  let outputs: StackOutputs;
  // Last in, first out: without the daemon nothing of the project can be removed.
  const cleanUp = new AsyncDisposableStack();
  const containerOf = (tenant: string): string => outputs.tenants[tenant]?.container ?? "";
  /** Status of a request through Caddy, made in the daemon's own network. */
  const ask = async (tenant: string, path: string, ...args: string[]): Promise<string> =>
    docker
      .exec(
        "curl",
        "--silent",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
        "--max-time",
        "30",
        "--header",
        `Host: ${tenant}.localhost:${project.httpPort}`,
        ...args,
        `http://127.0.0.1:${project.httpPort}${path}`,
      )
      .catch(String);
  const wake = async (): Promise<string> =>
    ask(
      "acme",
      "/hooks/wake",
      "--header",
      "Content-Type: application/json",
      "--header",
      `Authorization: Bearer ${outputs.tokens["acme"]?.hooks ?? ""}`,
      "--data",
      '{"text":"hello"}',
    );
  const healthOf = async (container: string): Promise<string> =>
    (await project.docker("inspect", "--format", "{{.State.Health.Status}} {{.HostConfig.PidsLimit}}", container)).trim();

  beforeAll(async () => {
    if (machine.local === undefined) throw new Error(machine.missing);
    docker = await startOwnDocker([machine.local.openclawImage, machine.local.caddyImage], machine.local.env);
    cleanUp.defer(docker.dispose);
    project = await createProject(
      (port) => [
        { id: "acme", name: "Acme", host: "local", port: port(0), size: "small", expose: ["hooks"] },
        { id: "hooli", name: "Hooli", host: "local", port: port(1), size: "small", status: "suspended" },
      ],
      { startTimeoutSeconds: 540 },
      { DOCKER_HOST: docker.endpoint },
    );
    cleanUp.defer(async () => project.dispose());
    await project.up();
    outputs = await project.outputs();
  });
  afterAll(async () => cleanUp.disposeAsync());

  it("is back by itself, with its routes, tokens, data and limits", async () => {
    const edge = `openclaw-${project.stack}.local.edge`;
    expect([await ask("acme", "/healthz"), await wake(), await ask("hooli", "/"), await ask("nobody", "/")]).toEqual(["200", "200", "503", "421"]);
    await project.docker("exec", containerOf("acme"), "sh", "-c", `echo kept > ${NOTE}`);
    const started = async (): Promise<string> => project.docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", containerOf("acme"), edge);
    const before = await started();

    await docker.restart();

    await expect.poll(() => ask("acme", "/healthz"), DEADLINE).toBe("200");
    await expect.poll(wake, DEADLINE).toBe("200");
    expect([await ask("hooli", "/"), await ask("nobody", "/")]).toEqual(["503", "421"]);
    await expect.poll(() => healthOf(containerOf("acme")), DEADLINE).toBe("healthy 256");
    await expect.poll(() => healthOf(edge), DEADLINE).toBe("healthy 128");
    expect(await project.docker("exec", containerOf("acme"), "cat", NOTE)).toBe("kept");
    // The same containers, started again: nothing else would prove that the daemon was gone.
    const after = await started();
    expect(after.match(/^\w+/gm)).toEqual(before.match(/^\w+/gm));
    for (const line of after.split("\n")) expect(before).not.toContain(line);
  });

  it("has nothing left for an update to mend", async () => {
    const { exitCode, output } = await project.pulumi(["preview", "--refresh", "--expect-no-changes"]);
    expect([exitCode, output]).toEqual([0, expect.stringContaining("unchanged")]);
  });
});
