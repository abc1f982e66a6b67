import { UserError } from "../lib/errors.ts";
import { docker, dockerLines, tryDocker } from "./docker.ts";
import { LOCAL_STACK } from "./local.ts";
import { say } from "./progress.ts";
import { findStateFile, readState } from "./state.ts";

const OF_STACK = ["--filter", `label=openclaw-tenants.stack=${LOCAL_STACK}`];
const SERVING = ["gateway", "edge"].map((role) => [...OF_STACK, "--filter", `label=openclaw-tenants.role=${role}`]);

/** How long a gateway may take to stop. It ends its sessions properly first. */
const GRACE_SECONDS = 60;

/** Refuses to go on where containers of this stack exist and its state knows of nothing: another checkout made them. */
export async function refuseForeignFleet(projectDir: string, endpoint: string): Promise<void> {
  const file = findStateFile(projectDir, LOCAL_STACK);
  if (file !== undefined && !readState(file).isEmpty) return;
  const names = await dockerLines(endpoint, ["ps", "--all", ...OF_STACK, "--format", "{{.Names}}"]);
  if (names.length === 0) return;
  throw new UserError(`this Docker already runs a stack "${LOCAL_STACK}" that this checkout knows nothing of: ${names.join(", ")}`, {
    hint: `\`npm run destroy\` in the checkout it belongs to; if that is gone: docker rm -f ${names.join(" ")}`,
  });
}

/** Starts gateways and Caddy where they stand still. False when something that the state records is not there or does not start. */
export async function startStopped(projectDir: string, endpoint: string): Promise<boolean> {
  const file = findStateFile(projectDir, LOCAL_STACK);
  if (file === undefined) return true;
  const listings = SERVING.map(async (filter) => await dockerLines(endpoint, ["ps", "--all", "--quiet", "--no-trunc", "--filter", "status=exited", ...filter]));
  const stopped = (await Promise.all(listings)).flat();
  if (stopped.length > 0) {
    say("fleet", `starting ${stopped.length} stopped containers`);
    const { isFine, complaint } = await tryDocker(endpoint, ["start", ...stopped]);
    if (!isFine) {
      say("fleet", complaint);
      return false;
    }
  }
  const containers = await dockerLines(endpoint, ["ps", "--all", "--quiet", "--no-trunc", ...OF_STACK]);
  const networks = await dockerLines(endpoint, ["network", "ls", "--quiet", "--no-trunc", ...OF_STACK]);
  const existing = new Set([...containers, ...networks]);
  return [...readState(file).dockerIds].every((id) => existing.has(id));
}

/** Stops gateways and Caddy; everything is kept. Gives their number. */
export async function stopServing(endpoint: string): Promise<number> {
  const listings = SERVING.map(async (filter) => await dockerLines(endpoint, ["ps", "--quiet", ...filter]));
  const running = (await Promise.all(listings)).flat();
  if (running.length > 0) await docker(endpoint, ["stop", "-t", String(GRACE_SECONDS), ...running]);
  return running.length;
}

/** Names of the volumes with data of the stack. */
export async function listVolumes(endpoint: string): Promise<string[]> {
  return await dockerLines(endpoint, ["volume", "ls", "--quiet", ...OF_STACK]);
}

/** Memory in use and allowed, in Docker's words, by container. */
export async function readMemory(endpoint: string): Promise<Map<string, string>> {
  const ids = await dockerLines(endpoint, ["ps", "--quiet", ...OF_STACK]);
  if (ids.length === 0) return new Map();
  const lines = await dockerLines(endpoint, ["stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}", ...ids]);
  return new Map(lines.map((line) => line.split("\t")).map(([name = "", usage = ""]) => [name, usage]));
}
