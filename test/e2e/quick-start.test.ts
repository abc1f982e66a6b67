import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, expect, it } from "vitest";

import { readLocal } from "../../tools/local.ts";
import { describeWhere } from "../support/levels.ts";
import { ROOT } from "../support/project.ts";

const { env } = readLocal(ROOT);
const ofLocalStack = ["--all", "--quiet", "--filter", "label=openclaw-tenants.stack=local"];
const running = (await execa("docker", ["ps", ...ofLocalStack], { env })).stdout;

// The local stack has one name on a Docker: a fleet that is in use is not touched.
describeWhere("the quick start in a fresh checkout", running === "" ? undefined : "a fleet `local` runs on this Docker; `npm run destroy` removes it", () => {
  const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-clone-"));
  const npm = async (...args: string[]): Promise<string> => {
    const { exitCode, all } = await execa("npm", args, {
      cwd: dir,
      all: true,
      reject: false,
      stdin: "ignore",
      env: { PULUMI_BACKEND_URL: "", PULUMI_HOME: "" },
    });
    if (exitCode !== 0) throw new Error(`npm ${args.join(" ")} ended with ${exitCode}:\n${all}`);
    return all;
  };
  const healthOf = async (tenant: string): Promise<number> => {
    const { config } = readSettings(dir);
    const response = await execa(
      "curl",
      ["-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", `Host: ${tenant}.localhost:${config}`, `http://127.0.0.1:${config}/healthz`],
      { reject: false },
    );
    return Number(response.stdout);
  };

  afterAll(async () => {
    await execa("npm", ["run", "destroy", "--", "--yes", "--data"], { cwd: dir, reject: false });
    rmSync(dir, { recursive: true, force: true });
  });

  it("brings up two healthy tenants with the first command and says what to do next", async () => {
    const { stdout } = await execa("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
    for (const file of stdout.split("\n")) cpSync(join(ROOT, file), join(dir, file));

    const said = await npm("start");

    expect(said).toMatch(/acme .*http:\/\/acme\.localhost:\d+ .*healthy/);
    expect(said).toMatch(/globex .*http:\/\/globex\.localhost:\d+ .*healthy/);
    for (const step of ["stack output tokens --show-secrets", "devices approve", "telegram"]) expect(said).toContain(step);
    expect(await healthOf("acme")).toBe(200);
    expect(statSync(join(dir, ".local", "passphrase")).mode & 0o777).toBe(0o600);
  });

  it("changes nothing the second time, nor for a user's own engine with .local/env", async () => {
    expect(await npm("start")).toMatch(/\d+ unchanged/);
    const preview = await execa("sh", ["-c", ". .local/env && pulumi preview -s local --expect-no-changes --non-interactive"], {
      cwd: dir,
      all: true,
      reject: false,
    });
    expect(preview.all).toMatch(/\d+ unchanged/);
    expect(preview.exitCode).toBe(0);
    expect(await npm("run", "-s", "pulumi", "--", "stack", "output", "tokens", "--show-secrets", "--stack", "local")).toMatch(/"gateway": ?"\w{48}"/);
  });

  it("stops the fleet with everything kept, and starts it again", async () => {
    await npm("run", "stop");
    expect(await healthOf("acme")).not.toBe(200);

    await npm("start");

    expect(await healthOf("acme")).toBe(200);
    expect(await healthOf("globex")).toBe(200);
  });

  it("destroys it, data included when told so", async () => {
    await npm("run", "destroy", "--", "--yes", "--data");

    for (const kind of ["ps", "network ls", "volume ls"]) {
      const filter = kind === "ps" ? ofLocalStack : ofLocalStack.slice(1);
      expect((await execa("docker", [...kind.split(" "), ...filter], { env })).stdout, kind).toBe("");
    }
  });
});

/** Port of Caddy in a checkout's settings. */
function readSettings(dir: string): { config: string } {
  return { config: /httpPort: (\d+)/.exec(readFileSync(join(dir, "Pulumi.local.yaml"), "utf8"))?.[1] ?? "" };
}
