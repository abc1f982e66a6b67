import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits until a tenant answers through Caddy. False when it does not before the deadline. */
export async function waitUntilHealthy(url: string, deadline: number): Promise<boolean> {
  while (!(await isHealthy(url))) {
    if (Date.now() > deadline) return false;
    await sleep(250);
  }
  return true;
}

/** Asks Caddy on this machine by its address: not every resolver knows `*.localhost`. */
async function isHealthy(url: string): Promise<boolean> {
  const { host, port } = new URL(url);
  return await new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port: port || 80, path: "/healthz", headers: { host }, timeout: 5000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => {
      resolve(false);
    });
  });
}
