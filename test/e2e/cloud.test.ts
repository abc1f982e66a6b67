import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";

import { beforeAll, expect, it } from "vitest";

import { nameHost } from "../../plan/names.ts";
import { ORIGIN_CA_FILE } from "../standin/cloudflare/origin-ca.ts";
import { ZONE } from "../standin/cloudflare/zones.ts";
import { findServerLack } from "../standin/machine/lack.ts";
import { withTemporaryDir } from "../standin/temporary-dir.ts";
import { clientOn, DOMAIN, type HetznerInput } from "../support/cloud-project.ts";
import { connectControlUi, newDevice } from "../support/gateway-socket.ts";
import { bearer } from "../support/http.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { dialFrom, knockFrom, listenAt, type Place } from "../support/network.ts";
import { claims, makeCallers } from "./callers.ts";
import { type Answer, type CloudFleet, networkOf, type Question, startCloudFleet } from "./cloud-fleet.ts";

const HOSTS: Record<string, Partial<HetznerInput>> = { "host-1": { sshFrom: ["198.51.100.0/24", "2001:db8:ffff::/48"] } };
const SETTINGS = { startTimeoutSeconds: 540 };
/** Has the form of one. */
const TELEGRAM_BOT_TOKEN = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc";
/** What something on a server might listen at: names, mail, Caddy's admin, Docker, web servers, OpenClaw, metrics. Tenants' own are added. */
const PORTS = [21, 25, 53, 81, 111, 2019, 2375, 2376, 3000, 5000, 8000, 8080, 8443, 8787, 9090, 9100, 18789, 18801, 28801];
const WAKE = { text: "a knock at the door", mode: "now" };

describeWhere("a server as the world sees it", findMachine().missing ?? findServerLack(), () => {
  let fleet: CloudFleet;
  const tokenOf = (tenant: string, role: "gateway" | "hooks"): string => fleet.tokens[tenant]?.[role] ?? "";
  const ask = async (name: string, path: string, more: Partial<Question> = {}): Promise<Answer> =>
    fleet.ask({ url: `https://${name}.${DOMAIN}${path}`, host: "host-1", ...more });
  /** What Caddy wrote down of the call that has this mark in its address. */
  const readEntry = async (mark: string): Promise<unknown> => {
    const log = await fleet.project.dockerOn("host-1")("logs", nameHost(fleet.project.stack, "host-1").edge);
    const line = log.split("\n").find((each) => each.includes(mark));
    return line === undefined ? undefined : (JSON.parse(line) as unknown);
  };

  beforeAll(async () => {
    fleet = await startCloudFleet(
      (project) => {
        project.writeHosts(HOSTS, SETTINGS);
        return [
          clientOn(project, "host-1", 0, "acme", { expose: ["controlUi", "hooks", "api"], telegram: { mode: "webhook" } }),
          clientOn(project, "host-1", 1, "globex"),
        ];
      },
      { acme: { TELEGRAM_BOT_TOKEN, TELEGRAM_WEBHOOK_SECRET: "what-telegram-says" } },
    );
    return async () => fleet.project.dispose();
  });

  it.each(["ipv4", "ipv6"] as const)("answers operators at 22, Cloudflare at 80 and 443, and nobody else at all, over %s", async (version) => {
    const { project, hosts, tenants } = fleet;
    const address = hosts["host-1"]?.[version] ?? "";
    const at = (ports: readonly number[]): string[] => ports.map((port) => `${version === "ipv4" ? address : `[${address}]`}:${port}`);
    const [served, closed] = [at([22, 80, 443]), at([...PORTS, ...Object.values(tenants).flatMap(({ port }) => [port, port + 10_000])])];
    const openFrom = async (place: Place): Promise<string[]> => {
      const answers = Object.entries(await knockFrom(project.world, place, [...served, ...closed]));
      // Whoever is not meant to be there does not even hear a refusal.
      expect(answers.filter(([, answer]) => answer !== "open" && answer !== "silent")).toEqual([]);
      return answers.flatMap(([each, answer]) => (answer === "open" ? [each] : []));
    };
    // So that nothing is closed only because nobody listens.
    const stop = await listenAt(project.world, networkOf(project, "host-1"), closed);

    const places = [networkOf(project, "host-1"), "operator", "cloudflare", "client"] as const;
    const open = await Promise.all(places.map(openFrom)).finally(stop);
    expect(open.map((all) => all.toSorted())).toEqual([[...served, ...closed].toSorted(), at([22]), at([443, 80]), []]);
  });

  it.each([4, 6] as const)("shows a certificate that Cloudflare believes for every tenant, over IPv%i", async (version) => {
    for (const tenant of ["acme", "globex"])
      expect(await ask(tenant, "/healthz", { version })).toMatchObject({ status: 200, body: expect.stringContaining('"ok":true') as string });
  });

  it("says 421 to a name that nobody has, whether TLS or the request asks for it, and leads a tenant's to https", async () => {
    expect((await ask("nobody", "/healthz")).status).toBe(421);
    expect((await ask("acme", "/healthz", { headers: { Host: `nobody.${DOMAIN}` } })).status).toBe(421);
    expect((await ask("", "", { url: "https://elsewhere.test/healthz", args: ["--insecure"] })).status).toBe(421);
    expect((await ask("", "", { url: `http://nobody.${DOMAIN}/healthz` })).status).toBe(421);
    const { status, location } = await ask("", "", { url: `http://acme.${DOMAIN}/chat?session=1` });
    expect([status, location]).toEqual([308, `https://acme.${DOMAIN}/chat?session=1`]);
  });

  it("serves hooks, Control UI and API where a tenant exposes them, each to whoever has its token", async () => {
    const statusOfWake = async (headers: Record<string, string>): Promise<number> => (await ask("acme", "/hooks/wake", { body: WAKE, headers })).status;
    expect(await statusOfWake(bearer(tokenOf("acme", "hooks")))).toBe(200);
    for (const wrong of [bearer(tokenOf("globex", "hooks")), bearer(tokenOf("acme", "gateway")), {}]) expect(await statusOfWake(wrong)).toBe(401);
    expect(await ask("acme", "/")).toMatchObject({ status: 200, body: expect.stringContaining("<title>OpenClaw Control</title>") as string });
    const models = await ask("acme", "/v1/models", { headers: bearer(tokenOf("acme", "gateway")) });
    expect(models).toMatchObject({ status: 200, body: expect.stringContaining('"object":"list"') as string });

    const asGlobex = { headers: bearer(tokenOf("globex", "gateway")) };
    for (const [path, more] of Object.entries({
      "/": {},
      "/v1/models": asGlobex,
      "/hooks/wake": { body: WAKE, headers: bearer(tokenOf("globex", "hooks")) },
    })) {
      const { status, body } = await ask("globex", path, more);
      // The gateway's own 404 has a text.
      expect([path, status, body]).toEqual([path, 404, ""]);
    }
  });

  it("passes what Telegram says on to the tenant that asked for it", async () => {
    // OpenClaw listens once it has spoken to Telegram, which cannot be reached here. In its place, at its port, until it has answered:
    const answer = 'r.end(`heard ${q.headers["x-telegram-bot-api-secret-token"]}`).on("close", () => process.exit())';
    const listener = fleet.exec("acme", "node", "-e", `require("node:http").createServer((q, r) => ${answer}).listen(8787)`).catch(String);
    const said = { body: { update_id: 1 }, headers: { "X-Telegram-Bot-Api-Secret-Token": "what-telegram-says" } };
    await expect.poll(async () => (await ask("acme", "/telegram-webhook", said)).body, { timeout: 30_000 }).toBe("heard what-telegram-says");
    await listener;
    expect(await ask("globex", "/telegram-webhook", said)).toMatchObject({ status: 404, body: "" });
  });

  it("connects a browser with the right token and page over TLS, once the operator has approved it", async () => {
    const { project, hosts } = fleet;
    const [device, host] = [newDevice(), `acme.${DOMAIN}`];
    const connect = (changed: { origin?: string; token?: string } = {}): ReturnType<typeof connectControlUi> => {
      const socket = dialFrom(project.world, "cloudflare", hosts["host-1"]?.ipv4 ?? "", 443);
      const at = connectTls({ socket, servername: host, ca: readFileSync(join(project.world, ORIGIN_CA_FILE)) });
      return connectControlUi({ at, host, origin: `https://${host}`, token: tokenOf("acme", "gateway"), device, ...changed });
    };
    expect(await connect({ token: tokenOf("globex", "gateway") })).toMatchObject({ status: 1008, code: "AUTH_TOKEN_MISMATCH" });
    expect(await connect({ origin: "https://evil.example" })).toMatchObject({ status: 1008, code: "CONTROL_UI_ORIGIN_NOT_ALLOWED" });
    const first = await connect();
    if (first.isConnected) throw new Error("a browser that nobody approved is connected");
    expect(first).toMatchObject({ status: 1008, code: "PAIRING_REQUIRED" });

    await fleet.exec("acme", "node", "openclaw.mjs", "devices", "approve", first.requestId ?? "");

    const second = await connect();
    expect(second.isConnected).toBe(true);
    if (second.isConnected) second.socket.close();
  });

  it.each([
    // Cloudflare says who calls, and passes on what they say of themselves.
    { who: "a client of Cloudflare's", from: "cloudflare", believed: "198.18.0.1", says: (round: number) => claims(`198.18.9.${round}`, "198.18.0.1") },
    // Nobody but Cloudflare is asked who calls.
    { who: "a caller on the server itself", from: "server", believed: "", says: (round: number) => claims(`198.18.9.${round}`, `198.18.8.${round}`) },
  ] as const)("knows $who by its address, whatever it says of itself", async ({ from, believed, says }) => {
    const place = from === "server" ? networkOf(fleet.project, "host-1") : from;
    const attempt = async (round: number, token: string, mark = ""): Promise<number> =>
      (await ask("acme", `/v1/models${mark}`, { from: place, headers: { ...bearer(token), ...says(round) } })).status;
    const mark = `?from=${from}`;
    // The gateway counts wrong tokens by address and locks it out after ten; a new address would begin anew.
    expect(await attempt(1, "wrong", mark)).toBe(401);
    for (let round = 2; round <= 10; round++) expect(await attempt(round, "wrong")).toBe(401);
    expect(await attempt(11, tokenOf("acme", "gateway"))).toBe(429);
    const others = { ...bearer(tokenOf("acme", "gateway")), ...claims(believed, "198.18.7.7") };
    expect((await ask("acme", "/v1/models", { headers: others })).status).toBe(200);
    const client_ip = from === "server" ? fleet.hosts["host-1"]?.ipv4 : believed;
    await expect.poll(() => readEntry(mark), { timeout: 20_000 }).toMatchObject({ request: { client_ip } });
  });

  it("admits nobody without this zone's certificate once it asks for one, and touches no tenant for that", async () => {
    const { project, tenants } = fleet;
    const started = async (): Promise<string> =>
      project.dockerOn("host-1")("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", ...Object.values(tenants).map(({ container }) => container));
    const before = await started();
    project.writeHosts(HOSTS, { ...SETTINGS, dns: { zoneId: ZONE.id, originPulls: true } });
    await project.up();

    await withTemporaryDir("callers", async (dir) => {
      const { zone, other } = await makeCallers(project, dir);
      // By TLS 1.3 a caller may be gone before it has heard why.
      const refuse = async (name: string, args: string[]): Promise<string> => {
        const { status, complaint } = await ask(name, "/healthz", { args: [...args, "--tls-max", "1.2"] });
        return status === 0 ? complaint : `it was answered with ${status}`;
      };
      for (const name of ["acme", "nobody"]) {
        expect(await refuse(name, [])).toMatch(/alert (handshake failure|bad certificate)/);
        expect(await refuse(name, other)).toMatch(/alert (unknown ca|bad certificate)/);
        expect((await ask(name, "/healthz")).status).toBe(0);
      }
      expect((await ask("acme", "/healthz", { args: zone })).status).toBe(200);
      expect((await ask("nobody", "/healthz", { args: zone })).status).toBe(421);
    });
    expect(await started()).toBe(before);
  });
});
