import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { remoteCommand } from "../../standin/command.ts";
import { checkProps } from "../../standin/properties.ts";
import { type OperationContext, type Props, UNKNOWN } from "../../standin/provider.ts";

const SSHD = "/usr/sbin/sshd";
const REFUSED = "ssh: connect to host 127.0.0.1 port 1: Connection refused";

const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-command-"));
const logged: string[] = [];

function contextWith(signal: AbortSignal = new AbortController().signal): OperationContext {
  logged.length = 0;
  return { urn: "urn:pulumi:test::test::command:remote:Command::ready", timeoutSeconds: 0, signal, log: (message) => logged.push(message) };
}

/** Checks inputs as the engine has it done, and creates. */
async function create(inputs: Props, signal?: AbortSignal): Promise<Props> {
  const checked = checkProps(remoteCommand.inputs, inputs);
  if ("failures" in checked) throw new Error(JSON.stringify(checked.failures));
  return (await remoteCommand.create(checked.props, contextWith(signal))).outputs;
}

afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe("a remote command", () => {
  it("is checked before anything connects, and may wait for what is not known yet", () => {
    const { inputs } = remoteCommand;
    expect(checkProps(inputs, { connection: UNKNOWN, create: UNKNOWN, triggers: [UNKNOWN] })).toHaveProperty("props");
    expect(checkProps(inputs, { connection: { host: "h" } })).toMatchObject({
      props: { connection: { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 } },
    });
    expect(checkProps(inputs, { connection: { host: "h", port: "22", password: "p" } })).toEqual({
      failures: [
        { property: "connection.port", reason: "Invalid input: expected number, received string" },
        { property: "connection", reason: 'Unrecognized key: "password"' },
      ],
    });
  });

  it("dials as often as its connection forgives", async () => {
    const connection = { host: "127.0.0.1", port: 1, dialErrorLimit: 2 };
    await expect(create({ connection, create: "true" })).rejects.toThrow(`after 2 failed attempts: ${REFUSED}`);
    expect(logged).toEqual(["Dial 1/2 failed: retrying", "Dial 2/2 failed: retrying"]);
  });

  it("dials until its time is up where everything is forgiven", async () => {
    const connection = { host: "127.0.0.1", port: 1, dialErrorLimit: -1 };
    await expect(create({ connection, create: "true" }, AbortSignal.timeout(500))).rejects.toThrow(`timeout while dialling 127.0.0.1:1: ${REFUSED}`);
    expect(logged[1]).toBe("Dial 2/inf failed: retrying");
  });

  it("is content without a command", async () => {
    expect(await create({ connection: { host: "127.0.0.1", port: 1 } })).toMatchObject({ stdout: "", stderr: "" });
    await remoteCommand.delete?.("ready", { connection: { host: "127.0.0.1", port: 1 }, stdout: "", stderr: "" }, contextWith());
  });
});

describe.skipIf(!existsSync(SSHD))("a remote command on a host", () => {
  let sshd: ChildProcess;
  let connection: Record<string, unknown>;
  const read = (file: string) => readFileSync(join(dir, file), "utf8");

  beforeAll(async () => {
    for (const name of ["host", "other", "user"]) await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(dir, name)]);
    const port = await findFreePort();
    // sshd lets go of its rights there, and its service makes it where it runs as one.
    if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
    const settings = {
      HostKey: join(dir, "host"),
      AuthorizedKeysFile: join(dir, "user.pub"),
      PidFile: "none",
      StrictModes: "no",
      AcceptEnv: "PULUMI_* GREETING",
    };
    const config = Object.entries({ Port: port, ListenAddress: "127.0.0.1", PasswordAuthentication: "no", ...settings });
    writeFileSync(join(dir, "config"), config.map(([name, value]) => `${name} ${value}\n`).join(""));
    sshd = spawn(SSHD, ["-D", "-f", join(dir, "config"), "-E", join(dir, "log")]);
    const { username: user } = userInfo();
    connection = { host: "127.0.0.1", port, user, privateKey: read("user"), hostKey: read("host.pub") };
    // Nothing waits for it to listen: dialling does.
    await create({ connection, create: "true" });
  });

  afterAll(() => {
    sshd.kill();
  });

  it("reads its input, and tells both streams apart", async () => {
    const outputs = await create({ connection, create: "cat; echo err >&2", stdin: "in\n\n", logging: "stderr" });
    expect([outputs["stdout"], outputs["stderr"], logged]).toEqual(["in\n", "err", ["err"]]);
  });

  it("never gets to a host with another key", async () => {
    const file = join(dir, "reached");
    const wrong = { ...connection, hostKey: read("other.pub"), dialErrorLimit: 1 };
    await expect(create({ connection: wrong, create: `touch ${file}` })).rejects.toThrow("after 1 failed attempts: Host key verification failed.");
    expect(existsSync(file)).toBe(false);
    await create({ connection, create: `touch ${file}` });
    expect(existsSync(file)).toBe(true);
  });

  it("takes a key that the host does not know for one more obstacle", async () => {
    const wrong = { ...connection, privateKey: read("other"), dialErrorLimit: 0 };
    await expect(create({ connection: wrong, create: "true" })).rejects.toThrow(/after 0 failed attempts: .*Permission denied/);
  });

  it("fails in the host's own words, and is not tried again", async () => {
    const failing = create({ connection, create: "echo out; echo why >&2; exit 255" });
    await expect(failing).rejects.toThrow(/^Process exited with status 255: running "echo out; echo why >&2; exit 255":\n(out\nwhy|why\nout)\n$/);
    expect(logged).not.toContainEqual(expect.stringContaining("retrying"));
  });

  it("knows its variables and what the one before it printed, where the host takes them", async () => {
    const inputs = { connection, create: "false", update: "echo $GREETING after $PULUMI_COMMAND_STDOUT", environment: { GREETING: "hello" } };
    const outputs = await remoteCommand.update?.("ready", { ...inputs, stdout: "before", stderr: "" }, inputs, contextWith());
    expect(outputs).toMatchObject({ stdout: "hello after before" });
    await expect(create({ connection, create: "true", environment: { NOT_TAKEN: "x" } })).rejects.toThrow("could not set this environment variable");
  });

  it("is created again where it has no way to be updated", async () => {
    const inputs = { connection, create: "echo created after $PULUMI_COMMAND_STDOUT" };
    const outputs = await remoteCommand.update?.("ready", { ...inputs, stdout: "before", stderr: "" }, inputs, contextWith());
    expect(outputs).toMatchObject({ stdout: "created after before" });
  });

  it("is not cut short once it runs", async () => {
    expect(await create({ connection, create: "sleep 1.5; echo done" }, AbortSignal.timeout(1000))).toMatchObject({ stdout: "done" });
  });
});

async function findFreePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  });
}
