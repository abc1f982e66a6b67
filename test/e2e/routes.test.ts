import { beforeAll, expect, it } from "vitest";

import { bearer, send } from "../support/http.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { type RunningFleet, startFleet } from "./fleet.ts";
import { ADMIN_CALLS, type Spelling, TOOL_CALLS } from "./spellings.ts";

/** Calls whose success cannot be mistaken: the answer says `"ok":true`. */
const PRIVATE_CALLS = [
  ...TOOL_CALLS.map((spelling) => ({ ...spelling, body: { tool: "session_status", args: {} } })),
  ...ADMIN_CALLS.map((spelling) => ({ ...spelling, body: { method: "health", params: {} } })),
];
const WAKE = { text: "a knock at the door", mode: "now" };
const AGENT = { message: "say hello", name: "test" };

describeWhere("what Caddy routes", findMachine().missing, () => {
  let fleet: RunningFleet;
  const tokenOf = (tenant: string, role: "gateway" | "hooks"): string => fleet.tokens[tenant]?.[role] ?? "";
  const call = async ({ target, body }: Spelling & { body: object }, ask: RunningFleet["viaCaddy"], tenant: string): Promise<string> => {
    const answer = await ask(tenant, { target, body, headers: bearer(tokenOf(tenant, "gateway")) });
    return answer.body.includes('"ok":true') ? "done" : "refused";
  };

  beforeAll(async () => {
    fleet = await startFleet((port) => [
      { id: "acme", name: "Acme", host: "local", port: port(0), size: "small", expose: ["controlUi", "hooks", "api"] },
      { id: "globex", name: "Globex", host: "local", port: port(1), size: "small" },
      { id: "hooli", name: "Hooli", host: "local", port: port(2), size: "small", status: "suspended" },
    ]);
    return async () => fleet.project.dispose();
  });

  it("answers /healthz of every tenant", async () => {
    for (const tenant of ["acme", "globex"]) {
      const { status, body } = await fleet.viaCaddy(tenant, { target: "/healthz" });
      expect([status, body]).toEqual([200, expect.stringContaining('"ok":true')]);
    }
  });

  it("answers 421 for a name that no tenant has, and 503 for a suspended one", async () => {
    expect((await fleet.viaCaddy("nobody", { target: "/healthz" })).status).toBe(421);
    const suspended = await fleet.viaCaddy("hooli", { target: "/anything" });
    expect([suspended.status, suspended.body]).toEqual([503, expect.stringContaining("This assistant is paused")]);
  });

  it.each([
    ["/hooks/wake", WAKE],
    ["/hooks/agent", AGENT],
  ])("lets %s in with the hooks token and with no other", async (target, body) => {
    const statusWith = async (headers: Record<string, string>): Promise<number> => (await fleet.viaCaddy("acme", { target, body, headers })).status;
    expect(await statusWith(bearer(tokenOf("acme", "hooks")))).toBe(200);
    expect(await statusWith(bearer(tokenOf("globex", "hooks")))).toBe(401);
    expect(await statusWith(bearer(tokenOf("acme", "gateway")))).toBe(401);
    expect(await statusWith({})).toBe(401);
  });

  it("serves the Control UI and the API of the tenant that exposes them", async () => {
    const page = await fleet.viaCaddy("acme", { target: "/" });
    expect([page.status, page.headers, page.body]).toEqual([
      200,
      expect.stringMatching(/content-type: text\/html/i),
      expect.stringContaining("<title>OpenClaw Control</title>"),
    ]);
    const models = { target: "/v1/models", headers: bearer(tokenOf("acme", "gateway")) };
    expect(await fleet.viaCaddy("acme", models)).toMatchObject({ status: 200, body: expect.stringContaining('"object":"list"') as string });
    expect((await fleet.viaCaddy("acme", { target: "/v1/models" })).status).toBe(401);
  });

  it("serves neither page, hooks nor API of a tenant that exposes nothing", async () => {
    const headers = bearer(tokenOf("globex", "gateway"));
    for (const request of [
      { target: "/" },
      { target: "/index.html" },
      { target: "/hooks/wake", body: WAKE, headers: bearer(tokenOf("globex", "hooks")) },
      { target: "/v1/models", headers },
    ]) {
      const { status, body } = await fleet.viaCaddy("globex", request);
      // The gateway's own 404 has a text.
      expect([request.target, status, body]).toEqual([request.target, 404, ""]);
    }
  });

  it("keeps readiness and start-up to the host, where they answer", async () => {
    for (const target of ["/readyz", "/startupz"]) {
      expect((await fleet.onLoopback("acme", { target, headers: bearer(tokenOf("acme", "gateway")) })).status).toBe(200);
      expect((await fleet.viaCaddy("acme", { target, headers: bearer(tokenOf("acme", "gateway")) })).status).toBe(404);
    }
  });

  it("leaves tools and admin RPC to whoever has the token and is on the host", async () => {
    for (const spelling of PRIVATE_CALLS) {
      expect.soft([spelling.target, await call(spelling, fleet.onLoopback, "acme")]).toEqual([spelling.target, spelling.isUnderstood ? "done" : "refused"]);
    }
    for (const { target, body } of PRIVATE_CALLS.filter(({ target: path }) => ["/tools/invoke", "/api/v1/admin/rpc"].includes(path))) {
      expect((await fleet.onLoopback("acme", { target, body })).status).toBe(401);
    }
  });

  it.each(["acme", "globex"])("passes no spelling of them on to %s", async (tenant) => {
    for (const spelling of PRIVATE_CALLS) {
      expect.soft([spelling.target, await call(spelling, fleet.viaCaddy, tenant)]).toEqual([spelling.target, "refused"]);
      // The same with the host in the request line, which outranks the Host header.
      const absolute = { ...spelling, target: `http://${fleet.hostOf(tenant)}${spelling.target}` };
      expect.soft([absolute.target, await call(absolute, fleet.viaCaddy, tenant)]).toEqual([absolute.target, "refused"]);
    }
  });

  it("is no way round: neither a foreign host in the request line nor another tenant's name opens a gateway", async () => {
    const port = fleet.tenants["globex"]?.port ?? 0;
    for (const target of [`http://127.0.0.1:${port}/`, `http://globex.localhost:${port}/`, `http://${fleet.hostOf("globex")}/`]) {
      expect([404, 421]).toContain((await send(fleet.project.httpPort, { target, host: fleet.hostOf("acme") })).status);
    }
    expect((await send(fleet.project.httpPort, { target: "/", host: `127.0.0.1:${port}` })).status).toBe(421);
  });
});
