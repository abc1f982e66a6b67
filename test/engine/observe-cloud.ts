import { join } from "node:path";

import { ORIGIN_CA_FILE } from "../standin/cloudflare/origin-ca.ts";
import { DOMAIN, type CloudProject } from "../support/cloud-project.ts";
import { outside } from "../support/outside.ts";
import { type Answer, containersOf, runningPart, wholeTenant } from "./observe.ts";

/** Asks a server for a tenant over TLS as Cloudflare does, which believes the certificates of its own authority alone; status 0 when nobody answers. */
export async function askAsCloudflare({ world }: CloudProject, id: string, address: string, path = "/healthz"): Promise<Answer> {
  const resolve = `${id}.${DOMAIN}:443:${address.includes(":") ? `[${address}]` : address}`;
  const options = ["--silent", "--max-time", "30", "--cacert", join(world, ORIGIN_CA_FILE), "--resolve", resolve, "--write-out", "\n%{http_code}"];
  const { stdout } = await outside(world).exec("cloudflare", ["curl", ...options, `https://${id}.${DOMAIN}${path}`]);
  const [, body = "", status = "0"] = /^([^]*)\n(\d+)$/.exec(stdout) ?? [];
  return { status: Number(status), body };
}

/** Docker's own word on every container of the stack on some of its hosts, as `containersOf` has it. */
export async function containersOn(project: CloudProject, ...hosts: string[]): ReturnType<typeof containersOf> {
  const all = await Promise.all(hosts.map((host) => containersOf({ stack: project.stack, docker: project.dockerOn(host) })));
  return Object.assign({}, ...all) as Awaited<ReturnType<typeof containersOf>>;
}

/** What a suspended tenant on a server does without, as `previewSteps` writes it. */
export function runningOnServer(op: "create" | "delete" | "replace", id: string): string[] {
  return [...runningPart(op, id), `${op} Container ${id}-directories`].toSorted();
}

/** Everything that belongs to one active tenant on a server, its names at Cloudflare included. */
export function wholeOnServer(op: "create" | "delete", id: string): string[] {
  return [...wholeTenant(op, id), `${op} Container ${id}-directories`, `${op} Dns ${id}`, `${op} DnsRecord ${id}-a`, `${op} DnsRecord ${id}-aaaa`].toSorted();
}
