import { chmodSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";

import { type CloudProject, createCloudProject } from "../support/cloud-project.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { ROOT } from "../support/project.ts";

const { missing, local } = findMachine();

describeWhere("the example of a production stack", missing, () => {
  let project: CloudProject;
  /** An ssh that takes note of being called. */
  let env: Record<string, string>;
  const called = (): boolean => existsSync(join(project.dir, "ssh-was-called"));

  beforeAll(async () => {
    project = await createCloudProject({ image: local?.openclawImage ?? "", hasMachines: false });
    cpSync(join(ROOT, "Pulumi.prod.yaml"), join(project.dir, "Pulumi.prod.yaml"));
    const bin = join(project.dir, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "ssh"), `#!/bin/sh\n: > ${project.dir}/ssh-was-called\nexit 255\n`);
    chmodSync(join(bin, "ssh"), 0o755);
    env = { PATH: `${bin}:${project.env["PATH"] ?? ""}` };
    const { exitCode, output } = await project.pulumi(["stack", "init", "prod"]);
    expect(exitCode, output).toBe(0);
  });
  afterAll(() => project.dispose());

  it("is previewed without reaching any host once the secrets are set that its first preview names", async () => {
    const first = await project.pulumi(["preview", "--stack", "prod"], { env });
    expect(first.exitCode).not.toBe(0);
    const commands = [...first.output.matchAll(/needs the secret \w+; set it with: (.*)/g)].map(([, command = ""]) => command);
    expect(commands.length).toBeGreaterThan(1);
    for (const command of new Set(commands)) await execa("sh", ["-c", command], { cwd: project.dir, env: project.env, input: "a value" });

    const { exitCode, output } = await project.pulumi(["preview", "--stack", "prod"], { env });

    expect(exitCode, output).toBe(0);
    for (const name of ["initech-gateway", "umbrella-gateway", "host-1-edge"]) expect(output).toMatch(new RegExp(`\\+ +docker:index:Container ${name} create`));
    expect(called()).toBe(false);
  });
});
