import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const DEADLINE_MS = 10 * 60_000;

/** Asks again and again until the answer is yes; throws after ten minutes. Returns when it was, on `performance.now()`'s clock. */
export async function waitUntil(what: string, isSo: () => Promise<boolean>, everyMs = 100): Promise<number> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what}: still not so after ${DEADLINE_MS / 60_000} minutes`);
    await sleep(everyMs);
  }
  return performance.now();
}

/** Whether a port of this machine answers a path with 200, under a host name where Caddy picks the tenant by it. */
export async function answers(port: number, path: string, host = `127.0.0.1:${port}`): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, path, headers: { host }, timeout: 5000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => {
      resolve(false);
    });
  });
}
