import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";

import type { TenantInput } from "../../tenants/schema.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { createProject, type TestProject } from "../support/project.ts";
import { ask, entry, lines } from "./observe.ts";

const { missing } = findMachine();
const canary = `canary-${randomBytes(12).toString("hex")}`;
const nextCanary = `canary-${randomBytes(12).toString("hex")}`;

describeWhere("a tenant's secrets in a real gateway", missing, () => {
  let project: TestProject;
  /** Everything the engine printed in this file, secrets never asked for. */
  const printed: string[] = [];
  const path = "openclaw-tenants:secrets.acme.CANARY_KEY";
  const pulumi = async (...args: string[]): Promise<{ exitCode: number | undefined; output: string }> => {
    const run = await project.pulumi(args);
    printed.push(run.output);
    return run;
  };
  /** The command of an error, as an operator pastes it; the value comes on a prompt. */
  const paste = async (command: string, value: string): Promise<void> => {
    await execa("sh", ["-c", command], { cwd: project.dir, env: project.env, input: value });
  };
  const shown = async (): Promise<string[]> => {
    const { tokens } = await project.outputs();
    return [canary, nextCanary, tokens["acme"]?.gateway ?? "", tokens["acme"]?.hooks ?? ""];
  };
  const expectNoneIn = async (where: string, text: string): Promise<void> => {
    const secrets = await shown();
    expect(secrets.every((secret) => secret.length >= 30)).toBe(true);
    // Not toContain: a failure would print the secret and the whole text.
    expect(secrets.filter((secret) => text.includes(secret)).length, `secrets readable in ${where}`).toBe(0);
  };
  const containers = async (): Promise<string[]> =>
    lines(await project.docker("ps", "--all", "--quiet", "--filter", `label=openclaw-tenants.stack=${project.stack}`));
  const gateway = (): string => `openclaw-${project.stack}-acme`;

  beforeAll(async () => {
    const acme = (port: TestProject["port"]): TenantInput => entry({ port }, 0, "acme", { env: ["CANARY_KEY"], expose: ["hooks", "controlUi"] });
    // Slow machines start a gateway in minutes.
    project = await createProject((port) => [acme(port)], { startTimeoutSeconds: 420 });
  });
  afterAll(() => project.dispose());

  it("are refused when they were set in plain text", async () => {
    const file = join(project.dir, `Pulumi.${project.stack}.yaml`);
    await project.pulumi(["config", "set", "--plaintext", "--path", path, canary]);
    expect(readFileSync(file, "utf8")).toContain(canary);

    const { exitCode, output } = await pulumi("preview");

    await project.pulumi(["config", "rm", "--path", "openclaw-tenants:secrets"]);
    expect(exitCode).not.toBe(0);
    expect(output).toContain("stands there in plain text");
    expect(readFileSync(file, "utf8")).not.toContain(canary);
  });

  it("are missed by name, with the command that sets them and lets the preview pass", async () => {
    const { exitCode, output } = await pulumi("preview");
    expect(exitCode).not.toBe(0);
    const command = /tenant "acme" needs the secret CANARY_KEY; set it with: (.*)/.exec(output)?.[1];
    expect(command).toBe(`pulumi config set --stack ${project.stack} --secret --path '${path}'`);

    await paste(command ?? "", canary);

    const next = await pulumi("preview", "--diff");
    expect(next.exitCode, next.output).toBe(0);
  });

  it("reach the gateway", async () => {
    const { exitCode, output } = await pulumi("up", "--yes");
    expect(exitCode, output).toBe(0);

    const [, , token, hooksToken] = await shown();
    const env = lines(await project.docker("exec", gateway(), "env"));
    expect(env).toContain(`CANARY_KEY=${canary}`);
    expect(env).toContain(`OPENCLAW_GATEWAY_TOKEN=${token ?? ""}`);
    expect(env).toContain(`OPENCLAW_HOOKS_TOKEN=${hooksToken ?? ""}`);
  });

  it("are not readable in anything the engine prints, also when one changes", async () => {
    await paste(`pulumi config set --stack ${project.stack} --secret --path '${path}'`, nextCanary);
    const diff = await pulumi("preview", "--diff");
    const json = await pulumi("preview", "--json");
    await pulumi("preview");
    const up = await pulumi("up", "--yes", "--diff");
    await pulumi("stack", "output", "--json");
    await pulumi("config");

    expect(diff.output).toContain("envs");
    expect(json.output).toContain("acme-gateway");
    expect(up.exitCode, up.output).toBe(0);
    expect(await project.docker("exec", gateway(), "env")).toContain(`CANARY_KEY=${nextCanary}`);
    await expectNoneIn("what the engine printed", printed.join("\n"));
  });

  it("are not readable in the exported state nor in any file of the project", async () => {
    const state = await project.exportState();
    const files = readdirSync(project.dir, { recursive: true, withFileTypes: true }).filter(
      (file) => file.isFile() && !file.parentPath.includes("node_modules"),
    );
    const open = (await project.pulumi(["stack", "export", "--show-secrets"])).output;

    expect(state).toContain("acme-gateway");
    expect(files.map(({ name }) => name)).toContain(`${project.stack}.json`);
    for (const secret of (await shown()).filter((each) => each !== canary)) expect(open.includes(secret)).toBe(true);
    await expectNoneIn("the exported state", state);
    await expectNoneIn("files", files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1")).join("\n"));
  });

  it("are not readable in labels, commands or processes of any container", async () => {
    const all = await containers();
    const inspected = await project.docker(
      "inspect",
      "--format",
      "{{json .Config.Labels}} {{.Path}} {{json .Args}} {{json .Config.Cmd}} {{json .Config.Healthcheck}}",
      ...all,
    );
    const running = lines(await project.docker("ps", "--quiet", "--filter", `label=openclaw-tenants.stack=${project.stack}`));
    const processes = (await Promise.all(running.map((id) => project.docker("top", id, "-eo", "pid,args")))).join("\n");

    expect(inspected).toContain('"openclaw-tenants.role":"gateway"');
    expect(processes).toContain("gateway");
    expect(processes).toContain("caddy run");
    await expectNoneIn("labels and commands", `${inspected}\n${processes}`);
  });

  it("are not readable in any container's log, nor in the files a gateway logs to", async () => {
    const [, , token = "", hooksToken = ""] = await shown();
    expect(
      await ask(project, "acme", "/hooks/wake", {
        authorization: `Bearer ${hooksToken}`,
        cookie: `token=${token}`,
        referer: `http://acme.localhost/?token=${token}`,
      }),
    ).not.toMatchObject({ status: 0 });
    expect(await ask(project, "acme", `/healthz?token=${token}&key=${nextCanary}&asked=${project.stack}`, { "x-openclaw-token": hooksToken })).toMatchObject({
      status: 200,
    });

    const edge = `openclaw-${project.stack}.local.edge`;
    await expect.poll(() => project.docker("logs", edge), { timeout: 30_000 }).toContain(`asked=${project.stack}`);
    const logs = await Promise.all((await containers()).map((id) => project.docker("logs", id)));
    const logFiles = await project.docker("exec", gateway(), "sh", "-c", "find /tmp /home/node/.openclaw -name '*.log' -type f | xargs cat");

    expect(logs.join("\n")).toContain("/hooks/wake");
    expect(logFiles.length).toBeGreaterThan(100);
    await expectNoneIn("logs", `${logs.join("\n")}\n${logFiles}`);
  });
});
