import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { FleetInput } from "../../../plan/parse.ts";
import { hetznerSettings, OPERATOR_KEY, running, withServer } from "../../support/fleet.ts";
import { recordFleet, TAILSCALE_KEY } from "../../support/record-fleet.ts";
import { findResource, numberOf, privatePartOf, publicKeyOf, type Registered, valueOf } from "../../support/record.ts";

async function recordServer(over: Partial<FleetInput> = {}): Promise<Registered[]> {
  const { resources } = await recordFleet([], { settings: hetznerSettings(), ...over });
  return resources;
}

const commandOf = (resources: readonly Registered[], role: string): Registered => findResource(resources, "Command", `host-1-${role}`);

describe("what is run on a server", () => {
  const roles = ["ready", "data-size", "operators"];

  it("is believed by its host key and reached with a key that stays in the operator's agent", async () => {
    const resources = await recordServer();
    for (const role of roles) {
      const { inputs, options } = commandOf(resources, role);
      expect(inputs["connection"], role).toEqual({
        host: "ipv4 of host-1-ipv4",
        port: 22,
        user: "deploy",
        hostKey: publicKeyOf("host-1-host-key"),
        dialErrorLimit: 60,
        perDialTimeout: 10,
      });
      expect(options.deletedWith, role).toMatch(/::host-1-server$/);
    }
    expect(JSON.stringify(roles.map((role) => commandOf(resources, role).inputs))).not.toContain(privatePartOf("host-1-host-key"));
  });

  it("waits again for every new server and volume, and grows the file system for every new size", async () => {
    const resources = await recordServer();
    expect(commandOf(resources, "ready").inputs["triggers"]).toEqual([String(numberOf("host-1-server")), String(numberOf("host-1-data"))]);
    expect(commandOf(resources, "data-size").inputs["triggers"]).toEqual([100]);
    expect(commandOf(resources, "data-size").inputs["create"]).toBe("sudo -n /usr/local/sbin/openclaw-data");
    expect(commandOf(resources, "ready").options.dependencies).toContainEqual(expect.stringMatching(/VolumeAttachment::host-1-data$/));
    for (const role of ["data-size", "operators"])
      expect(commandOf(resources, role).options.dependencies, role).toContainEqual(expect.stringMatching(/Command::host-1-ready$/));
  });

  it("brings every operator's key, in the same order whatever the order in the settings", async () => {
    const bob = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBvJo8AhqzxcRNR37xaC7W bob@desk";
    const one = await recordServer(withServer({}, { operators: { ann: OPERATOR_KEY, bob } }));
    const other = await recordServer(withServer({}, { operators: { bob, ann: OPERATOR_KEY } }));
    const { inputs } = commandOf(one, "operators");
    expect(inputs["stdin"]).toBe(`${OPERATOR_KEY}\n${bob}\n`);
    expect(inputs["update"]).toBe(inputs["create"]);
    expect(commandOf(other, "operators").inputs).toEqual(inputs);
    expect(findResource(other, "Server", "host-1-server").inputs["userData"]).toBe(findResource(one, "Server", "host-1-server").inputs["userData"]);
  });

  it("joins the tailnet with a key that is nowhere to be read, and only where there is one", async () => {
    const over = withServer({ tailscale: {} });
    expect((await recordServer(over)).filter(({ name }) => name === "host-1-tailscale")).toEqual([]);
    const { resources } = await recordFleet([], over, { hasTailscaleKey: true });
    const { inputs, sealed } = commandOf(resources, "tailscale");
    expect(inputs).toMatchObject({ stdin: TAILSCALE_KEY, create: "sudo -n /usr/local/sbin/openclaw-join", triggers: [String(numberOf("host-1-server"))] });
    expect(sealed).toMatchObject({ stdin: "[secret]" });
    const { resources: without } = await recordFleet([], withServer({}), { hasTailscaleKey: true });
    expect(JSON.stringify(without)).not.toContain(TAILSCALE_KEY);
  });

  it("goes through the tailnet once the settings name its address there", async () => {
    const { value, resources } = await recordFleet([], { ...withServer({ sshFrom: [], tailscale: { address: "host-1.example.ts.net" } }), ...running() });
    for (const role of roles) expect(commandOf(resources, role).inputs["connection"]).toMatchObject({ host: "host-1.example.ts.net" });
    expect(findResource(resources, "docker", "host-1-docker").inputs["host"]).toBe("ssh://deploy@host-1.example.ts.net");
    const rules = findResource(resources, "Firewall", "host-1-firewall").inputs["rules"] as { port?: string }[];
    expect(rules.map(({ port }) => port)).toEqual(["80", "443", undefined]);
    expect(await valueOf(value.hosts)).toMatchObject({ "host-1": { address: "host-1.example.ts.net" } });
  });
});

describe("the wait for a new server", () => {
  let folder: string;

  /** Puts programs first on PATH that end like this, and runs what the command runs. */
  async function waitFor(programs: Readonly<Record<string, string>>): Promise<{ status: number | null; stdout: string; called: string[] }> {
    const script = commandOf(await recordServer(), "ready").inputs["create"] as string;
    for (const [name, body] of Object.entries({ sleep: "true", ...programs })) {
      writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >> '${folder}/called'\n${body}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    const env = { PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}` };
    const { status, stdout } = spawnSync("bash", ["-c", script], { env, encoding: "utf8" });
    return { status, stdout, called: readFileSync(join(folder, "called"), "utf8").trim().split("\n") };
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ready-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const fine = { "cloud-init": "echo done", sudo: "exit 0", docker: "echo 27.5.1" };

  it("ends when it has set itself up, its data is there and Docker answers", async () => {
    const { status, stdout, called } = await waitFor(fine);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "27.5.1\n" });
    expect(called).toEqual(["cloud-init status --wait", "sudo -n /usr/local/sbin/openclaw-data", "docker version --format {{.Server.Version}}"]);
  });

  it("takes warnings of cloud-init for what they are", async () => {
    expect((await waitFor({ ...fine, "cloud-init": "exit 2" })).status).toBe(0);
  });

  it("fails when the server could not set itself up, whatever Docker says", async () => {
    const { status, called } = await waitFor({ ...fine, "cloud-init": "exit 1" });
    expect(status).toBe(1);
    expect(called).toEqual(["cloud-init status --wait"]);
  });

  it("fails when the data volume is not there, whatever Docker says", async () => {
    const { status, called } = await waitFor({ ...fine, sudo: "exit 1" });
    expect(status).toBe(1);
    expect(called).not.toContainEqual(expect.stringMatching(/^docker/));
  });

  it("gives Docker the time of a reboot", async () => {
    const { status, called } = await waitFor({ ...fine, docker: `[ -e '${folder}/up' ] && echo 27.5.1 && exit 0; : > '${folder}/up'; exit 1` });
    expect(status).toBe(0);
    expect(called.slice(2)).toEqual(["docker version --format {{.Server.Version}}", "sleep 2", "docker version --format {{.Server.Version}}"]);
  });

  it("fails when Docker never answers", async () => {
    const { status, called } = await waitFor({ ...fine, docker: "exit 1" });
    expect(status).toBe(1);
    expect(called.filter((each) => each === "sleep 2")).toHaveLength(60);
  });
});

describe("the operators' keys", () => {
  let home: string;

  async function writeKeys(stdin: string, path = process.env["PATH"] ?? ""): Promise<number | null> {
    const script = commandOf(await recordServer(), "operators").inputs["update"] as string;
    return spawnSync("sh", ["-c", script], { env: { HOME: home, PATH: path }, input: stdin }).status;
  }

  const file = (): string => join(home, ".ssh", "authorized_keys");

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "operators-"));
    mkdirSync(join(home, ".ssh"), { mode: 0o700 });
    writeFileSync(file(), "the old ones\n", { mode: 0o644 });
  });

  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  it("take the place of the old ones, for their owner's eyes alone", async () => {
    expect(await writeKeys(`${OPERATOR_KEY}\n`)).toBe(0);
    expect(readFileSync(file(), "utf8")).toBe(`${OPERATOR_KEY}\n`);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(existsSync(`${file()}.new`)).toBe(false);
  });

  it("leave the old ones alone when they cannot be written", async () => {
    const bin = join(home, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "cat"), "#!/bin/sh\nhead -c 5\nexit 1\n", { mode: 0o755 });
    expect(await writeKeys(`${OPERATOR_KEY}\n`, `${bin}${delimiter}${process.env["PATH"] ?? ""}`)).not.toBe(0);
    expect(readFileSync(file(), "utf8")).toBe("the old ones\n");
  });
});
