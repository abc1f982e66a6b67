import { createServer } from "node:net";

import { execa } from "execa";
import { beforeAll, expect, it } from "vitest";

import { strictOptions } from "../../lib/ssh.ts";
import { findServerLack } from "../standin/machine/lack.ts";
import { withTemporaryDir } from "../standin/temporary-dir.ts";
import { clientOn, DOMAIN } from "../support/cloud-project.ts";
import { connectControlUi, newDevice } from "../support/gateway-socket.ts";
import { bearer, type RawAnswer, send } from "../support/http.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { knockFrom } from "../support/network.ts";
import { type CloudFleet, networkOf, startCloudFleet } from "./cloud-fleet.ts";

/** Where a host's loopback serves what operators reach through a tunnel. */
const TUNNEL_PORT = 8080;
const RPC = "/api/v1/admin/rpc";
const HEALTH = { method: "health", params: {} };
const DEADLINE = { timeout: 60_000, interval: 200 };

describeWhere("an operator", findMachine().missing ?? findServerLack(), () => {
  let fleet: CloudFleet;
  const gatewayToken = (tenant: string): string => fleet.tokens[tenant]?.gateway ?? "";
  const address = (): string => fleet.hosts["host-1"]?.ipv4 ?? "";
  const options = (): string[] => ["-F", "none", ...strictOptions(fleet.hosts["host-1"]?.hostKey ?? ""), "-o", "ExitOnForwardFailure=yes"];
  /** How ssh ends with these arguments, and what was said. */
  const ssh = async (...args: string[]): Promise<{ exitCode: number | undefined; said: string }> => {
    const { exitCode, all } = await execa("ssh", [...options(), ...args], { env: fleet.project.env, all: true, reject: false, stdin: "ignore" });
    return { exitCode, said: all };
  };
  /** Holds a tunnel to a port of the host's loopback open for the time of `use`, which is told where it begins. */
  const throughTunnel = async (port: number, use: (entry: number) => Promise<void>): Promise<void> => {
    const entry = await findFreePort();
    const tunnel = execa("ssh", [...options(), "-N", "-L", `${entry}:127.0.0.1:${port}`, `deploy@${address()}`], { env: fleet.project.env, reject: false });
    try {
      const begin = `127.0.0.1:${entry}`;
      await expect.poll(() => knockFrom(fleet.project.world, "operator", [begin]), DEADLINE).toEqual({ [begin]: "open" });
      await use(entry);
    } finally {
      tunnel.kill();
      await tunnel;
    }
  };

  beforeAll(async () => {
    fleet = await startCloudFleet((project) => {
      project.writeHosts({ "host-1": {} }, { startTimeoutSeconds: 540 });
      return [clientOn(project, "host-1", 0, "acme", { expose: ["controlUi"] }), clientOn(project, "host-1", 1, "globex")];
    });
    return async () => fleet.project.dispose();
  });

  it("logs in as deploy with a key from the settings, and nobody else does in any other way", async () => {
    expect(await ssh(`deploy@${address()}`, "id", "-un")).toEqual({ exitCode: 0, said: "deploy" });
    const refused = { exitCode: 255, said: expect.stringContaining("Permission denied (publickey).") as string };
    expect(await ssh("-o", "PubkeyAuthentication=no", `deploy@${address()}`, "true")).toEqual(refused);
    // Hetzner gives operators' keys to root as well.
    expect(await fleet.project.onHost("host-1", "cat /root/.ssh/authorized_keys")).toContain(fleet.project.operatorKey.split(" ")[1]);
    for (const user of ["root", "nobody"]) expect(await ssh(`${user}@${address()}`, "true")).toEqual(refused);
    await withTemporaryDir("stranger", async (dir) => {
      await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${dir}/key`]);
      expect(await ssh("-o", "IdentityAgent=none", "-i", `${dir}/key`, `deploy@${address()}`, "true")).toEqual(refused);
    });
  });

  it("forwards ports of the host's loopback and nothing else, no agent and no screen", async () => {
    const at = `deploy@${address()}`;
    expect((await ssh("-W", `127.0.0.1:${TUNNEL_PORT}`, at)).exitCode).toBe(0);
    for (const target of [`${address()}:443`, "169.254.169.254:80", "192.0.2.10:80"])
      expect(await ssh("-W", target, at)).toEqual({ exitCode: 255, said: expect.stringContaining("administratively prohibited") as string });
    for (const back of ["9999:127.0.0.1:22", "/tmp/back:127.0.0.1:22"]) expect((await ssh("-R", back, at, "true")).exitCode).toBe(255);
    expect(await ssh("-A", at, 'echo "agent: $SSH_AUTH_SOCK"')).toEqual({ exitCode: 0, said: "agent: " });
    const settings = await fleet.project.onHost("host-1", "sshd -T");
    for (const line of ["x11forwarding no", "permittunnel no", "allowstreamlocalforwarding no"]) expect(settings).toContain(`${line}\n`);
  });

  it("may call Docker forty times at once", async () => {
    const calls = Array.from({ length: 40 }, () => fleet.ssh("host-1", "docker", "version", "--format", "{{.Server.Version}}"));
    expect((await Promise.all(calls)).filter(({ exitCode }) => exitCode !== 0)).toEqual([]);
  });

  it("calls a gateway at its port of the host's loopback, saying whom for", async () => {
    const { port = 0 } = fleet.tenants["globex"] ?? {};
    await throughTunnel(port, async (entry) => {
      const call = async (headers: Record<string, string>): Promise<RawAnswer> =>
        send(entry, { target: RPC, host: `127.0.0.1:${port}`, headers, body: HEALTH });
      const someone = { "X-Forwarded-For": "192.0.2.1" };
      expect(await call({ ...bearer(gatewayToken("globex")), ...someone })).toMatchObject({
        status: 200,
        body: expect.stringContaining('"ok":true') as string,
      });
      for (const wrong of [{}, bearer(gatewayToken("acme"))]) expect((await call({ ...wrong, ...someone })).status).toBe(401);
      for (const nobody of [{}, { "X-Forwarded-For": "127.0.0.1" }])
        expect(await call({ ...bearer(gatewayToken("globex")), ...nobody })).toMatchObject({
          status: 403,
          body: expect.stringContaining("proxy_attribution_required") as string,
        });
    });
    // From outside there is no such call.
    const headers = bearer(gatewayToken("acme"));
    expect(await fleet.ask({ url: `https://acme.${DOMAIN}${RPC}`, host: "host-1", body: HEALTH, headers })).toMatchObject({ status: 404, body: "" });
  });

  it("opens every tenant's Control UI through the tunnel, also of one that does not expose it", async () => {
    await throughTunnel(TUNNEL_PORT, async (entry) => {
      for (const tenant of ["acme", "globex"]) {
        const page = await send(entry, { target: "/", host: `${tenant}.localhost:${TUNNEL_PORT}` });
        expect([page.status, page.body]).toEqual([200, expect.stringContaining("<title>OpenClaw Control</title>")]);
      }
      for (const host of ["nobody.localhost", "localhost", "127.0.0.1", `acme.${DOMAIN}`])
        expect([host, await send(entry, { target: "/", host: `${host}:${TUNNEL_PORT}` })]).toMatchObject([host, { status: 421, body: "" }]);

      const host = `globex.localhost:${TUNNEL_PORT}`;
      const sound = { at: entry, host, origin: `http://${host}`, token: gatewayToken("globex"), device: newDevice() };
      expect(await connectControlUi({ ...sound, token: gatewayToken("acme") })).toMatchObject({ status: 1008, code: "AUTH_TOKEN_MISMATCH" });
      expect(await connectControlUi({ ...sound, origin: `http://acme.localhost:${TUNNEL_PORT}` })).toMatchObject({ code: "CONTROL_UI_ORIGIN_NOT_ALLOWED" });
      const first = await connectControlUi(sound);
      if (first.isConnected) throw new Error("a browser that nobody approved is connected");
      expect(first).toMatchObject({ status: 1008, code: "PAIRING_REQUIRED" });
      await fleet.exec("globex", "node", "openclaw.mjs", "devices", "approve", first.requestId ?? "");
      const second = await connectControlUi(sound);
      expect(second.isConnected).toBe(true);
      if (second.isConnected) second.socket.close();
    });
  });

  it("has the tunnel's end for itself: it is on the host's loopback alone", async () => {
    const { ipv6 = "" } = fleet.hosts["host-1"] ?? {};
    const [inside, outside] = [`127.0.0.1:${TUNNEL_PORT}`, [`${address()}:${TUNNEL_PORT}`, `[${ipv6}]:${TUNNEL_PORT}`]];
    const answers = await knockFrom(fleet.project.world, networkOf(fleet.project, "host-1"), [inside, ...outside]);
    expect(answers).toEqual({ [inside]: "open", ...Object.fromEntries(outside.map((each) => [each, "refused"])) });
  });
});

/** A port of this machine that nobody listens at. */
async function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const at = server.address();
      server.close(() => {
        if (typeof at === "object" && at !== null) resolve(at.port);
        else reject(new Error("no port is free"));
      });
    });
  });
}
