import { setTimeout } from "node:timers/promises";

import { beforeAll, expect, it } from "vitest";

import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { type RunningFleet, startFleet } from "./fleet.ts";

const DEADLINE = { timeout: 240_000, interval: 500 };

/** Kills the gateway itself, which is no stop of the container: Docker restarts what died, not what was stopped. */
const KILL = 'kill -9 $(grep -l "^openclaw-gatewa" /proc/[0-9]*/comm | cut -d / -f 3)';

/**
 * Takes memory until the kernel kills somebody: files in memory, then processes of which each is smaller than the gateway, so that it is the
 * largest when the limit is met. The kernel picks that one.
 */
const EXHAUST =
  "dd if=/dev/zero of=/tmp/fill bs=1M count=480 2>/dev/null; for each in 1 2 3 4 5; do node -e 'const held = Array.from({ length: 20 }, () => Buffer.alloc(8 * 1024 * 1024, 1)); setTimeout(() => held.length, 600_000)' & done; wait";

describeWhere("a gateway that dies", findMachine().missing, () => {
  let fleet: RunningFleet;
  const containerOf = (tenant: string): string => fleet.tenants[tenant]?.container ?? "";
  const inspect = async (tenant: string, format: string): Promise<string> =>
    (await fleet.project.docker("inspect", "--format", format, containerOf(tenant))).trim();
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
    return async () => fleet.project.dispose();
  });

  it.each([
    ["SIGKILL", KILL],
    ["the OOM killer", EXHAUST],
  ])("comes back by itself after %s while its neighbour answers all the time", async (_, script) => {
    const before = { restarts: await restartsOf("acme"), id: await inspect("acme", "{{.Id}}"), neighbour: await inspect("globex", "{{.State.StartedAt}}") };
    const { asked, failures } = await askNeighbourDuring(async () => {
      // Answers with the exit code once the container is down.
      const ended = fleet.project.docker("wait", containerOf("acme"));
      // What runs in a container goes down with it.
      const done = fleet.exec("acme", "sh", "-c", script).catch(String);
      // SIGKILL in both cases: nobody else sends it, and a gateway that ends in order exits otherwise.
      expect(await ended).toBe("137");
      await done;
      await expect.poll(() => restartsOf("acme"), DEADLINE).toBeGreaterThan(before.restarts);
      await expect.poll(() => isServed("acme"), DEADLINE).toBe(true);
    });
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(10);
    expect(await inspect("acme", "{{.Id}}")).toBe(before.id);
    expect(await inspect("globex", "{{.State.StartedAt}}")).toBe(before.neighbour);
  });
});
