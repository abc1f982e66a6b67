import { spawn } from "node:child_process";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";

import * as pulumi from "@pulumi/pulumi";

import type { PlannedTenant } from "../plan/host.ts";
import { carryScript } from "../templates/carry.ts";
import { type Connection, dockerCommand, runDocker, valueOf } from "./connection.ts";

const FAILED = "the data could not be carried over";

/** Where a tenant's data is before it moves. */
export interface CarrySource {
  connection: Connection;
  /** Directory of the tenant there. Absent: Docker's own volumes hold its data. */
  directory: string | undefined;
}

/** A tenant's move from one host to another. */
export interface Carry {
  from: CarrySource;
  to: Connection;
  tenant: PlannedTenant;
  /** What the marker in the tenant's state says. */
  owner: pulumi.Input<string>;
  /** Reference of an image with a shell and tar that both hosts have. */
  image: string;
}

/**
 * Carries a tenant's data to its new host before anything there uses it: through this machine, which alone may log in to both. The gateway on the
 * old host is gone by then. Data that is there already is left alone, a copy that was broken off begins anew, and the old host keeps its own, marked as left.
 */
export function carryData(name: string, carry: Carry): pulumi.ResourceHook {
  return new pulumi.ResourceHook(`${name}-carry`, async () => {
    const { from, to, tenant } = carry;
    const owner = await valueOf(carry.owner);
    const here = (which: string): string[] => runStep(carry, tenant.directory, owner, which);
    const there = (which: string): string[] => runStep(carry, from.directory, owner, which);
    if ((await take(to, here("look"))).trim() === "here") return;

    const running = await take(from.connection, ["ps", "--quiet", "--filter", `name=^${tenant.names.container}$`]);
    if (running.trim() !== "") throw new Error(`tenant "${tenant.id}" still runs on the host it leaves; stop container ${tenant.names.container} there`);
    await pulumi.log.info(`tenant "${tenant.id}": carrying its data over`);
    await take(to, here("clear"));
    await pipe(await dockerCommand(from.connection, there("send")), await dockerCommand(to, here("receive")));
    await take(from.connection, there("leave"));
    await take(to, here("settle"));
  });
}

/** One step of templates/carry.sh beside the tenant's data, with no more rights than it takes. A directory is there without its volume. */
function runStep({ tenant, image }: Carry, directory: string | undefined, owner: string, step: string): string[] {
  const rights = ["--cap-drop", "ALL", ...["CHOWN", "DAC_OVERRIDE", "FOWNER"].flatMap((right) => ["--cap-add", right])];
  const { stateVolume, workspaceVolume } = tenant.names;
  const data =
    directory === undefined ? { state: stateVolume, workspace: workspaceVolume } : { state: `${directory}/state`, workspace: `${directory}/workspace` };
  return [
    ...["run", "--rm", "--interactive", "--network", "none", "--read-only", "--security-opt", "no-new-privileges", "--user", "0:0", ...rights],
    ...Object.entries(data).flatMap(([role, place]) => ["--volume", `${place}:/data/${role}`]),
    ...["--env", `OWNER=${owner}`, "--entrypoint", "sh", image, "-c", carryScript, "carry", step],
  ];
}

/** One thing that Docker does for a move; what it printed. */
async function take(connection: Connection, args: readonly string[]): Promise<string> {
  return runDocker(connection, args).catch((error: unknown) => {
    throw new Error(`${FAILED}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
}

/** Runs two programs, the first one's output the other's input, and fails with the words of the one that failed. */
async function pipe(...[source, target]: [[string, string[]], [string, string[]]]): Promise<void> {
  const sender = spawn(...source, { stdio: ["ignore", "pipe", "pipe"] });
  const receiver = spawn(...target, { stdio: ["pipe", "ignore", "pipe"] });
  const words: string[] = [];
  for (const { stderr } of [sender, receiver]) stderr.setEncoding("utf8").on("data", (text: string) => words.push(text));
  const ended = [sender, receiver].map(async (child) => {
    const [code] = (await once(child, "close")) as [number | null];
    return code;
  });
  // A receiver that ends early breaks the pipe; its own words say why.
  await pipeline(sender.stdout, receiver.stdin).catch(() => undefined);
  const codes = await Promise.all(ended);
  if (codes.some((code) => code !== 0)) throw new Error(`${FAILED}: ${words.join("").trim() || `ended with ${codes.join(" and ")}`}`);
}
