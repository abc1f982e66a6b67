import { beforeAll, expect, it } from "vitest";
import { z } from "zod";

import { HOT_PATHS } from "../../plan/config-file.ts";
import { type JsonObject, merge } from "../../lib/json.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { type RunningFleet, startFleet } from "./fleet.ts";

/** Has the form of one. */
const TELEGRAM_BOT_TOKEN = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc";

/** For every path that is said to be hot, an edit of the tenant's entry that changes it and nothing else. */
const HOT_CHANGES: Readonly<Record<string, Partial<TenantInput>>> = {
  "agents.defaults.maxConcurrent": { config: { agents: { defaults: { maxConcurrent: 3 } } } },
  "agents.defaults.model": { model: { primary: "anthropic/claude-opus-5" } },
  "channels.telegram.dmPolicy": { telegram: { dmPolicy: "disabled" } },
  "logging.level": { config: { logging: { level: "debug" } } },
  "session.maintenance": { config: { session: { maintenance: { pruneAfter: "20d" } } } },
};

const ChannelStatus = z.object({ channels: z.object({ telegram: z.looseObject({}) }) });
/** Of the file, and of what the running gateway works with. */
const Revisions = z.object({ configRevisionHash: z.string(), appliedConfigHash: z.string() });
const DEADLINE = { timeout: 180_000, interval: 500 };

describeWhere("a tenant whose entry changes while it runs", findMachine().missing, () => {
  let fleet: RunningFleet;
  let entry: TenantInput;

  /** What changes with every start of the container, or of the gateway in it. */
  const identify = async (): Promise<{ container: string; process: string }> => ({
    container: await fleet.project.docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}} {{.RestartCount}}", fleet.tenants["acme"]?.container ?? ""),
    // Its id, and when it was started.
    process: await fleet.exec("acme", "sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null | awk '$2 == \"(openclaw-gatewa)\" { print $1, $22 }'"),
  });
  const logSince = async (since: string): Promise<string> => fleet.project.docker("logs", "--since", since, fleet.tenants["acme"]?.container ?? "");
  const readRevisions = async (): Promise<z.output<typeof Revisions>> => Revisions.parse(await fleet.rpc("acme", "config.get"));
  const update = async (change: Partial<TenantInput>): Promise<void> => {
    entry = merge(entry as JsonObject, change as JsonObject) as TenantInput;
    fleet.project.writeTenants([entry]);
    await fleet.project.up();
  };

  beforeAll(async () => {
    fleet = await startFleet(
      (port) => {
        entry = {
          id: "acme",
          name: "Acme",
          host: "local",
          port: port(0),
          size: "small",
          expose: ["controlUi"],
          telegram: {},
          model: { primary: "anthropic/claude-sonnet-5" },
        };
        return [entry];
      },
      { secrets: { acme: { TELEGRAM_BOT_TOKEN } } },
    );
    return async () => fleet.project.dispose();
  });

  it("is healthy with a Telegram bot though Telegram cannot be reached", async () => {
    const readChannel = async (): Promise<object> => ChannelStatus.parse(await fleet.rpc("acme", "channels.status")).channels.telegram;
    await expect.poll(readChannel, DEADLINE).toMatchObject({ configured: true, mode: "polling", lastStartAt: expect.any(Number) as number });
    expect(await fleet.project.docker("inspect", "--format", "{{.State.Health.Status}}", fleet.tenants["acme"]?.container ?? "")).toBe("healthy");
    expect((await fleet.viaCaddy("acme", { target: "/healthz" })).status).toBe(200);
  });

  it("has an edit for every path that is said to be hot", () => {
    expect(Object.keys(HOT_CHANGES).toSorted()).toEqual(HOT_PATHS.toSorted());
  });

  it.each(Object.entries(HOT_CHANGES))("takes over %s without a restart", async (_, change) => {
    const before = await identify();
    expect(before.process).toMatch(/^\d+ \d+$/);
    const since = new Date().toISOString();
    const { configRevisionHash: revision } = await readRevisions();

    await update(change);

    const applied = async (): Promise<boolean> => {
      const { configRevisionHash, appliedConfigHash } = await readRevisions();
      return configRevisionHash !== revision && appliedConfigHash === configRevisionHash;
    };
    await expect.poll(applied, DEADLINE).toBe(true);
    // It can restart within its process.
    expect(await logSince(since)).not.toMatch(/restart|starting HTTP server/);
    expect(await identify()).toEqual(before);
  });

  it("is replaced by a change that it could take only by a restart", async () => {
    const before = await identify();
    const target = "/";
    expect((await fleet.viaCaddy("acme", { target })).body).not.toContain("Acme and Sons");

    await update({ name: "Acme and Sons" });

    expect((await identify()).container).not.toBe(before.container);
    expect((await fleet.viaCaddy("acme", { target })).body).toContain("Acme and Sons");
  });
});
