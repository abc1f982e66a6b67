import { z } from "zod";

import type { TestProject } from "../support/project.ts";
import { waitUntil } from "./wait.ts";

/** The part of `docker inspect` that the project's container is described by. */
const Inspected = z.object({
  Created: z.coerce.date(),
  State: z.object({ Health: z.object({ Status: z.string(), Log: z.array(z.object({ End: z.coerce.date(), ExitCode: z.int() })).nullable() }) }),
  Config: z.object({
    Hostname: z.string(),
    User: z.string(),
    Env: z.array(z.string()),
    Cmd: z.array(z.string()),
    Labels: z.record(z.string(), z.string()),
    StopTimeout: z.int(),
    Healthcheck: z.object({ Test: z.array(z.string()), Interval: z.int(), Timeout: z.int(), Retries: z.int(), StartPeriod: z.int() }),
  }),
  Image: z.string(),
  HostConfig: z.object({
    Memory: z.int(),
    MemorySwap: z.int(),
    NanoCpus: z.int(),
    PidsLimit: z.int(),
    ReadonlyRootfs: z.literal(true),
    Init: z.literal(true),
    CapDrop: z.array(z.string()),
    SecurityOpt: z.array(z.string()),
    Tmpfs: z.record(z.string(), z.string()),
    NetworkMode: z.string(),
    RestartPolicy: z.object({ Name: z.string() }),
    LogConfig: z.object({ Type: z.string(), Config: z.record(z.string(), z.string()) }),
    PortBindings: z.record(z.string(), z.array(z.object({ HostIp: z.string(), HostPort: z.string() }))),
  }),
  Mounts: z.array(z.object({ Type: z.string(), Name: z.string().optional(), Destination: z.string(), RW: z.boolean() })),
});

/** A container as Docker describes it. */
export type Container = z.output<typeof Inspected>;

/** Reads one container. */
export async function inspect(project: Pick<TestProject, "docker">, name: string): Promise<Container> {
  return Inspected.parse(JSON.parse(await project.docker("inspect", "--type", "container", "--format", "{{json .}}", name)));
}

/** When a container's health check first passed, as Docker noted it: more exact than asking in between. */
export async function waitForHealth(project: Pick<TestProject, "docker">, name: string): Promise<{ createdAt: number; healthyAt: number }> {
  let found: Container | undefined;
  await waitUntil(
    `${name} healthy`,
    async () => {
      found = await inspect(project, name);
      return found.State.Health.Status === "healthy";
    },
    500,
  );
  const passed = found?.State.Health.Log?.find(({ ExitCode }) => ExitCode === 0);
  if (found === undefined || passed === undefined) throw new Error(`container ${name} is healthy without a check that passed`);
  return { createdAt: found.Created.getTime(), healthyAt: passed.End.getTime() };
}

/** The arguments of `docker run` that make the same container under another name, its own volumes in place of others. */
export function runArgs(name: string, { Config, HostConfig, Image, Mounts }: Container, volumes: Readonly<Record<string, string>>): string[] {
  const { Healthcheck: check } = Config;
  const each = (flag: string, values: readonly string[]): string[] => values.flatMap((value) => [flag, value]);
  const [how = "", ...command] = check.Test;
  if (how !== "CMD") throw new Error(`a health check of kind ${how} is not expected here`);
  return [
    ...[
      "run",
      "--detach",
      "--name",
      name,
      "--hostname",
      Config.Hostname,
      "--user",
      Config.User,
      "--init",
      "--read-only",
      "--stop-timeout",
      `${Config.StopTimeout}`,
    ],
    ...[
      "--memory",
      `${HostConfig.Memory}`,
      "--memory-swap",
      `${HostConfig.MemorySwap}`,
      "--cpus",
      `${HostConfig.NanoCpus / 1e9}`,
      "--pids-limit",
      `${HostConfig.PidsLimit}`,
    ],
    ...["--network", HostConfig.NetworkMode, "--restart", HostConfig.RestartPolicy.Name, "--log-driver", HostConfig.LogConfig.Type],
    ...each("--cap-drop", HostConfig.CapDrop),
    ...each("--security-opt", HostConfig.SecurityOpt),
    ...each(
      "--log-opt",
      Object.entries(HostConfig.LogConfig.Config).map(([key, value]) => `${key}=${value}`),
    ),
    ...each(
      "--tmpfs",
      Object.entries(HostConfig.Tmpfs).map(([path, options]) => `${path}:${options}`),
    ),
    ...each(
      "--volume",
      Mounts.flatMap(({ Type, Name = "", Destination, RW }) => (Type === "volume" ? [`${volumes[Name] ?? Name}:${Destination}${RW ? "" : ":ro"}`] : [])),
    ),
    ...each(
      "--publish",
      Object.entries(HostConfig.PortBindings).flatMap(([inside, bindings]) => bindings.map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}:${inside}`)),
    ),
    ...each("--env", Config.Env),
    ...each(
      "--label",
      Object.entries(Config.Labels).map(([key, value]) => `${key}=${value}`),
    ),
    // The command line knows only the form that goes through a shell.
    ...[
      "--health-cmd",
      command.join(" "),
      "--health-interval",
      `${check.Interval}ns`,
      "--health-timeout",
      `${check.Timeout}ns`,
      "--health-retries",
      `${check.Retries}`,
      "--health-start-period",
      `${check.StartPeriod}ns`,
    ],
    ...[Image, ...Config.Cmd],
  ];
}
