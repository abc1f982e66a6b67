import { cpus, loadavg, release, totalmem, type } from "node:os";

import { execa } from "execa";

import { readLocal } from "../../tools/local.ts";
import { ROOT } from "../support/project.ts";

/** What the figures depend on, a line each; with the load that others put on the machine before anything was measured. */
export async function machineFacts(): Promise<string[]> {
  const { env, openclawImage } = readLocal(ROOT);
  const ask = async (...[file = "", ...args]: string[]): Promise<string> => (await execa(file, args, { env })).stdout.trim();
  const [docker, engine] = await Promise.all([ask("docker", "version", "--format", "{{.Server.Version}}"), ask("pulumi", "version")]);
  const [processor] = cpus();
  return [
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Machine: ${cpus().length} cores (${processor?.model.trim() ?? "unknown"}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
    `Docker ${docker}, Pulumi ${engine}, Node ${process.version}, OpenClaw image ${openclawImage}`,
    `Load before the run: ${loadavg()[0]?.toFixed(2) ?? "unknown"} (one minute)`,
  ];
}
