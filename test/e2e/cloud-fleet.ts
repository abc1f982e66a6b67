import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { execa } from "execa";

import { sshArgs } from "../../lib/ssh.ts";
import { nameMachine } from "../../plan/names.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { ORIGIN_CA_FILE } from "../standin/cloudflare/origin-ca.ts";
import { type CloudProject, createCloudProject } from "../support/cloud-project.ts";
import { findMachine } from "../support/machine.ts";
import { inNetwork, type Place } from "../support/network.ts";
import type { Run, StackOutputs } from "../support/project.ts";

/** A question to a host in a browser's words, wherever the name leads to. */
export interface Question {
  /** `https://acme.example.com/healthz`; the name is what TLS asks for as well. */
  url: string;
  /** Key of the host that is asked. */
  host: string;
  /** Default: Cloudflare. */
  from?: Place;
  /** Default: 4. */
  version?: 4 | 6;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, by POST. */
  body?: unknown;
  /** Further arguments of curl. */
  args?: readonly string[];
}

export interface Answer {
  /** 0: there was none. */
  status: number;
  body: string;
  /** Where it leads on to. */
  location: string;
  /** Why there was none. */
  complaint: string;
}

/** A fleet that runs on servers behind Cloudflare, and the ways to speak to it. */
export interface CloudFleet extends StackOutputs {
  readonly project: CloudProject;
  readonly ask: (question: Question) => Promise<Answer>;
  /** Runs a command on a server as an operator does. */
  readonly ssh: (host: string, ...command: string[]) => Promise<Run>;
  /** Runs a command in a tenant's container, over ssh; what it printed on stdout. */
  readonly exec: (tenant: string, ...command: string[]) => Promise<string>;
}

/** Network of a server. */
export function networkOf({ stack }: Pick<CloudProject, "stack">, host: string): Place {
  return `server-${nameMachine(stack, host)}`;
}

/** Brings a fleet up with the real images, and waits until its gateways are ready; the caller disposes of `project`. On failure nothing is left. */
export async function startCloudFleet(
  prepare: (project: CloudProject) => readonly TenantInput[],
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Promise<CloudFleet> {
  const project = await createCloudProject({ image: findMachine().local?.openclawImage ?? "", hasMachines: true });
  try {
    project.writeTenants(prepare(project));
    for (const [tenant, values] of Object.entries(secrets)) {
      for (const [name, value] of Object.entries(values))
        await project.pulumi(["config", "set", "--secret", "--path", `openclaw-tenants:secrets.${tenant}.${name}`, value]);
    }
    await project.up();
    const fleet = speakTo(project, await project.outputs());
    for (const { id } of Object.values(fleet.tenants)) await waitUntilStarted(fleet, id);
    return fleet;
  } catch (error) {
    await project.dispose();
    throw error;
  }
}

/** A gateway is alive before it is ready. */
async function waitUntilStarted({ exec, tokens }: Pick<CloudFleet, "exec" | "tokens">, tenant: string): Promise<void> {
  const authorization = `Authorization: Bearer ${tokens[tenant]?.gateway ?? ""}`;
  const deadline = Date.now() + 300_000;
  const isStarted = async (): Promise<boolean> =>
    exec(tenant, "curl", "-sf", "-H", authorization, "http://127.0.0.1:18789/startupz").then(
      () => true,
      () => false,
    );
  while (!(await isStarted())) {
    if (Date.now() > deadline) throw new Error(`the gateway of ${tenant} is not ready after five minutes`);
    await setTimeout(200);
  }
}

function speakTo(project: CloudProject, outputs: StackOutputs): CloudFleet {
  const ssh: CloudFleet["ssh"] = async (host, ...command) => {
    const { ipv4 = "", hostKey = "" } = outputs.hosts[host] ?? {};
    const args = ["-F", "none", ...sshArgs({ address: ipv4, hostKey }, command)];
    const { exitCode, all, stdout } = await execa("ssh", args, { env: project.env, all: true, reject: false });
    return { exitCode, output: all, stdout };
  };
  return {
    ...outputs,
    project,
    ssh,
    ask: async ({ url, host, from = "cloudflare", version = 4, headers = {}, body, args = [] }) => {
      const { ipv4 = "", ipv6 = "" } = outputs.hosts[host] ?? {};
      const where = ["--connect-to", version === 4 ? `::${ipv4}:` : `::[${ipv6}]:`];
      // As strict as Cloudflare: it asks for a certificate of its own authority, and for the name.
      const how = ["--silent", "--show-error", "--http1.1", "--path-as-is", "--cacert", join(project.world, ORIGIN_CA_FILE), "--connect-timeout", "3"];
      const what = Object.entries({ ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers }).map(
        ([name, value]) => `${name}: ${value}`,
      );
      const content = body === undefined ? [] : ["--data-binary", JSON.stringify(body)];
      const command = [
        "curl",
        ...how,
        ...where,
        ...what.flatMap((line) => ["--header", line]),
        ...content,
        "--write-out",
        "\n%{http_code} %{redirect_url}",
        ...args,
        url,
      ];
      const { stdout, stderr } = await execa(...inNetwork(project.world, from, command), { reject: false });
      const [, text = "", status = "0", location = ""] = /^([^]*)\n(\d{3}) (.*)$/.exec(stdout) ?? [];
      return { status: Number(status), body: text, location, complaint: stderr };
    },
    exec: async (tenant, ...command) => {
      const { host = "", container = "" } = outputs.tenants[tenant] ?? {};
      const { exitCode, output, stdout } = await ssh(host, "docker", "exec", container, ...command);
      if (exitCode !== 0) throw new Error(`${command.join(" ")} in the container of ${tenant} ended with ${exitCode ?? "a signal"}:\n${output}`);
      return stdout;
    },
  };
}
