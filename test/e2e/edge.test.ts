import { beforeAll, expect, it } from "vitest";

import { connectControlUi, newDevice } from "../support/gateway-socket.ts";
import { bearer } from "../support/http.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { buildStandIn } from "../support/standin-image.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { type RunningFleet, startFleet } from "./fleet.ts";

const CLOSE_DELAY_SECONDS = 20;
const machine = findMachine();

describeWhere("what Caddy keeps open and what it writes down", machine.missing, () => {
  let fleet: RunningFleet;
  const device = newDevice();
  const acme = (port: (index: number) => number): TenantInput => ({
    id: "acme",
    name: "Acme",
    host: "local",
    port: port(0),
    size: "small",
    expose: ["controlUi", "hooks"],
  });
  /** A browser on the tenant's own page with the right token, but for what is said. */
  const connect = async (changed: { origin?: string | undefined; token?: string | undefined } = {}): ReturnType<typeof connectControlUi> => {
    const { origin, token } = { origin: `http://${fleet.hostOf("acme")}`, token: fleet.tokens["acme"]?.gateway, ...changed };
    return connectControlUi({
      at: fleet.project.httpPort,
      host: fleet.hostOf("acme"),
      device,
      ...(origin === undefined ? {} : { origin }),
      ...(token === undefined ? {} : { token }),
    });
  };

  beforeAll(async () => {
    fleet = await startFleet((port) => [acme(port)], { settings: { streamCloseDelaySeconds: CLOSE_DELAY_SECONDS } });
    return async () => fleet.project.dispose();
  });

  it("refuses a WebSocket without the token, with another, and from another page", async () => {
    expect(await connect({ token: undefined })).toMatchObject({ status: 1008, code: "AUTH_TOKEN_MISSING" });
    expect(await connect({ token: fleet.tokens["acme"]?.hooks })).toMatchObject({ status: 1008, code: "AUTH_TOKEN_MISMATCH" });
    expect(await connect({ origin: "http://evil.example" })).toMatchObject({ status: 1008, code: "CONTROL_UI_ORIGIN_NOT_ALLOWED" });
    expect(await connect({ origin: undefined })).toMatchObject({ status: 1008, code: "CONTROL_UI_ORIGIN_NOT_ALLOWED" });
  });

  it("connects a browser with the right token and page once the operator has approved it", async () => {
    const first = await connect();
    if (first.isConnected) throw new Error("a browser that nobody approved is connected");
    expect(first).toMatchObject({ status: 1008, code: "PAIRING_REQUIRED" });

    await fleet.exec("acme", "node", "openclaw.mjs", "devices", "approve", first.requestId ?? "");

    const second = await connect();
    expect(second.isConnected).toBe(true);
    if (second.isConnected) second.socket.close();
  });

  it("lets open WebSockets live for the delay when a tenant is added, and serves everybody though one of them is sick", async () => {
    const { project } = fleet;
    const session = await connect();
    if (!session.isConnected) throw new Error(`no session: ${session.code ?? session.status}`);
    const closed = new Promise<number>((resolve) => {
      session.socket.on("close", () => {
        resolve(Date.now());
      });
    });

    const silent = await buildStandIn(machineOf(), "silent");
    project.writeTenants([
      acme(project.port),
      { id: "globex", name: "Globex", host: "local", port: project.port(1), size: "small" },
      { id: "sick", name: "Sick", host: "local", port: project.port(2), size: "small", image: silent },
    ]);
    const enough = new AbortController();
    const up = project.pulumi(["up", "--yes", "--skip-preview"], { signal: enough.signal });

    const statusOf = async (tenant: string): Promise<number> => (await fleet.viaCaddy(tenant, { target: "/healthz" })).status;
    try {
      const reload = expect.poll(() => statusOf("sick"), { timeout: 300_000, interval: 100 }).toBe(502);
      await Promise.race([reload, up.then(({ output }) => Promise.reject(new Error(`the update ended before its routes were loaded:\n${output}`)))]);
      const reloaded = Date.now();
      const pong = new Promise((resolve) => session.socket.once("pong", resolve));
      session.socket.ping();
      await Promise.race([pong, closed]);
      // The reload was at most a few seconds before it was seen.
      const lived = ((await closed) - reloaded) / 1000;
      expect(lived).toBeGreaterThan(CLOSE_DELAY_SECONDS / 2);
      expect(lived).toBeLessThan(CLOSE_DELAY_SECONDS * 3);

      await expect.poll(() => statusOf("globex"), { timeout: 540_000 }).toBe(200);
      expect([await statusOf("acme"), await statusOf("sick")]).toEqual([200, 502]);
      expect(await project.docker("inspect", "--format", "{{.State.Health.Status}}", `openclaw-${project.stack}-sick`)).not.toBe("healthy");
    } finally {
      // It would wait for the sick one to the end of its time.
      enough.abort();
      await up;
    }
  });

  it("logs each tenant under its own name and never what opens a door, whether the gateway answers or not", async () => {
    const secrets = ["authorization", "header", "cookie", "referer", "protocol", "query", "access", "password"].map((place) => [
      place,
      `canary-${place}-${fleet.project.stack}`,
    ]);
    const canary = Object.fromEntries(secrets) as Record<string, string>;
    const request = {
      target: `/hooks/wake?token=${canary["query"] ?? ""}&access_token=${canary["access"] ?? ""}&password=${canary["password"] ?? ""}&seen=here`,
      body: { text: "hello" },
      headers: {
        ...bearer(canary["authorization"] ?? ""),
        "X-OpenClaw-Token": canary["header"] ?? "",
        Cookie: `session=${canary["cookie"] ?? ""}`,
        Referer: `http://acme.localhost/?token=${canary["referer"] ?? ""}`,
        "Sec-WebSocket-Protocol": canary["protocol"] ?? "",
      },
    };
    await fleet.viaCaddy("acme", request);
    // Nobody answers there, so Caddy writes an error beside the access.
    await fleet.viaCaddy("sick", { ...request, target: request.target.replace("/hooks/wake", "/healthz") });

    const readLog = async (): Promise<string> => fleet.project.docker("logs", `openclaw-${fleet.project.stack}.local.edge`);
    await expect.poll(readLog, { timeout: 20_000 }).toMatch(/"logger":"http\.log\.access\.sick".*seen=here/);
    const log = await readLog();
    expect(log).toMatch(/"logger":"http\.log\.access\.acme".*"uri":"\/hooks\/wake\?[^"]*seen=here/);
    expect(log).toMatch(/"logger":"http\.log\.error\.sick".*seen=here/);
    for (const value of Object.values(canary)) expect(log).not.toContain(value);
  });
});

/** Set-up's part of the machine; only called where nothing is missing. */
function machineOf(): NonNullable<typeof machine.local> {
  if (machine.local === undefined) throw new Error(machine.missing);
  return machine.local;
}
