import { setTimeout } from "node:timers/promises";

import { afterAll, beforeAll, expect, it } from "vitest";

import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { type RunningFleet, startFleet } from "./fleet.ts";

const DEADLINE = { timeout: 240_000, interval: 500 };

/** Kills the gateway itself, which is no container stop: the one child of the container's init that is called openclaw. */
const KILL = 'for p in /proc/[0-9]*; do [ "$(sed -n "s/^PPid:\\t//p" $p/status 2>/dev/null)" = 1 ] && grep -q "^openclaw" $p/comm && kill -9 "${p#/proc/}" && echo killed; done; true';

/**
 * Takes memory until the kernel kills somebody: 500 MB of files in memory first, so that the gateway is the largest process when the limit is met.
 * The kernel then picks it.
 */
const EXHAUST = "dd if=/dev/zero of=/tmp/fill bs=1M count=480 2>/dev/null; exec node -e 'const held = []; setInterval(() => held.push(Buffer.alloc(8 * 1024 * 1024, 1)), 5)'";

describeWhere("a gateway that dies", findMachine().missing, () => {
  let fleet: RunningFleet;
  const containerOf = (tenant: string): string => fleet.tenants[tenant]?.container ?? "";
  const inspect = async (tenant: string, format: string): Promise<string> => (await fleet.project.docker("inspect", "--format", format, containerOf(tenant))).trim();
  const restartsOf = async (tenant: string): Promise<number> => Number(await inspect(tenant, "{{.RestartCount}}"));
  const isServed = async (tenant: string): Promise<boolean> => (await fleet.viaCaddy(tenant, { target: "/healthz" })).status === 200;

  /** Asks the neighbour all the while that `body` runs; every answer that was not 200. */
  const askNeighbourDuring = async (body: () => Promise<void>): Promise<{ asked: number; failures: unknown[] }> => {
    const failures: unknown[] = [];
    let asked = 0;
    const over = new AbortController();
    const asking = (async () => {
      while (!over.signal.aborted) {
        asked++;
        const status = await fleet.viaCaddy("globex", { target: "/healthz" }).then((answer) => answer.status, String);
        if (status !== 200) failures.push(status);
        await setTimeout(50);
      }
    })();
    await body().finally(() => {
      over.abort();
    });
    await asking;
    return { asked, failures };
  };

  beforeAll(async () => {
    fleet = await startFleet((port) => [
      { id: "acme", name: "Acme", host: "local", port: port(0), size: "small" },
      { id: "globex", name: "Globex", host: "local", port: port(1), size: "small" },
    ]);
  });
  afterAll(async () => fleet.project.dispose());

  it("comes back by itself after SIGKILL while its neighbour answers all the time", async () => {
    const before = { restarts: await restartsOf("acme"), id: await inspect("acme", "{{.Id}}") };
    const { asked, failures } = await askNeighbourDuring(async () => {
      expect(await fleet.exec("acme", "sh", "-c", KILL).catch(String)).toContain("killed");
      await expect.poll(() => restartsOf("acme"), DEADLINE).toBe(before.restarts + 1);
      await expect.poll(() => isServed("acme"), DEADLINE).toBe(true);
    });
    expect(await inspect("acme", "{{.Id}}")).toBe(before.id);
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(10);
  });

  it("comes back by itself after the OOM killer while its neighbour answers all the time", async () => {
    const { restarts, neighbour } = { restarts: await restartsOf("acme"), neighbour: await inspect("globex", "{{.State.StartedAt}}") };
    const since = `${Math.floor(Date.now() / 1000)}`;
    const { failures } = await askNeighbourDuring(async () => {
      const exhausted = fleet.exec("acme", "sh", "-c", EXHAUST).catch(String);
      await expect.poll(() => restartsOf("acme"), DEADLINE).toBe(restarts + 1);
      await exhausted;
      await expect.poll(() => isServed("acme"), DEADLINE).toBe(true);
    });
    // What Docker itself saw: the limit was met, and the container ended with SIGKILL.
    const events = await fleet.project.docker("events", "--since", since, "--until", `${Math.ceil(Date.now() / 1000)}`, "--filter", `container=${containerOf("acme")}`, "--format", '{{.Action}} {{index .Actor.Attributes "exitCode"}}');
    expect(events).toMatch(/^oom/m);
    expect(events).toMatch(/^die 137$/m);
    expect(failures).toEqual([]);
    expect(await inspect("globex", "{{.State.StartedAt}}")).toBe(neighbour);
  });
});
