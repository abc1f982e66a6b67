import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/docker";

import { labelsOf } from "../plan/names.ts";

/** Reported as updated in place and never applied; replacing is what makes them real. */
export const REPLACE_ON_CHANGES: string[] = ["healthcheck", "init", "mounts", "tmpfs"];

/** The user `node` of OpenClaw's image. */
export const GATEWAY_UID = 1000;

/** What no container of this program ever does without. `local` logs keep at most 30 MB. */
export const HARDENED = {
  init: true,
  readOnly: true,
  securityOpts: ["no-new-privileges"],
  restart: "unless-stopped",
  logDriver: "local",
  logOpts: { "max-file": "3", "max-size": "10m" },
} as const satisfies Partial<docker.ContainerArgs>;

/** Docker's label in the provider's form, the same for containers, networks and volumes. */
export interface Label {
  label: string;
  value: string;
}

/** Labels of everything that belongs to a stack, and to one tenant where it does. */
export function labelsFor(stack: string, role: string, tenant?: string): Label[] {
  return Object.entries(labelsOf(stack, role, tenant)).map(([label, value]) => ({ label, value }));
}

/** CPUs as the provider reads them back, or every refresh shows a replacement. Source: its nanoInt64ToDecimalString. */
export function renderCpus(cpus: number): string {
  const exact = cpus.toFixed(9);
  return exact.split("0").length - 1 === 9 ? cpus.toFixed(1) : exact.replace(/0+$/, "");
}

/**
 * Arguments of a volume that is a directory on the host, so that removing the volume keeps what is in it. Without a directory the volume is
 * Docker's own.
 */
export function bindTo(directory: string | undefined, part: string): Pick<docker.VolumeArgs, "driver" | "driverOpts"> {
  return directory === undefined ? {} : { driver: "local", driverOpts: { type: "none", o: "bind", device: `${directory}/${part}` } };
}

/** One file to be written into a container while it is made. */
export type Upload = types.input.ContainerUpload;

export interface FileWriterArgs {
  /** Container name on the host. */
  name: string;
  /** Any image that is there; nothing of it ever runs. */
  image: pulumi.Input<string>;
  volume: pulumi.Input<string>;
  /** Where `files` are in the volume: their paths start with it. */
  mountPath: string;
  files: Upload[];
  labels: Label[];
}

/**
 * Writes files into a volume through the Docker API alone: a container that is created and never started. A change of content replaces only
 * this container; whoever has the volume mounted sees the new files at once.
 */
export function writeFiles(name: string, { volume, mountPath, files, ...args }: FileWriterArgs, opts: pulumi.CustomResourceOptions): docker.Container {
  return new docker.Container(
    name,
    {
      ...args,
      // Never run, but Docker makes no container without one.
      command: ["true"],
      start: false,
      mustRun: false,
      networkMode: "none",
      volumes: [{ volumeName: volume, containerPath: mountPath }],
      uploads: files,
    },
    { ...opts, deleteBeforeReplace: true },
  );
}

export interface JobArgs extends docker.ContainerArgs {
  name: string;
}

/**
 * Runs a container to its end within the update. `done` is what others depend on: it fails the update with the last words of a job that did not
 * exit with 0. A job runs again when its inputs change; `describe` says what failed and the way out.
 */
export function runJob(
  name: string,
  args: JobArgs,
  describe: (words: string) => string,
  opts: pulumi.CustomResourceOptions,
): { container: docker.Container; done: pulumi.Output<docker.Container> } {
  const container = new docker.Container(
    name,
    { networkMode: "none", securityOpts: ["no-new-privileges"], ...args, attach: true, logs: true, mustRun: false },
    { ...opts, deleteBeforeReplace: true },
  );
  const done = pulumi.all([container.exitCode, container.containerLogs, container.urn]).apply(([exitCode, logs, urn]) => {
    if (exitCode === 0) return container;
    throw new pulumi.RunError(`${describe(logs.trim())}\nto run it again unchanged: pulumi up --replace '${urn}'`);
  });
  return { container, done };
}
