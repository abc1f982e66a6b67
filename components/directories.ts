import { dirname, basename } from "node:path/posix";

import type * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";

import { DATA_PATH } from "../templates/cloud-init.ts";
import { directoriesScript } from "../templates/directories.ts";
import { type Label, runJob } from "./containers.ts";

export interface DirectoriesArgs {
  /** Container name on the host. */
  name: string;
  /** Any image with a shell that is there. */
  image: pulumi.Input<string>;
  /** Whose they are, for the error: `tenant "acme"`. */
  owner: string;
  /** Paths on the data volume with the uid that owns each, parents first. */
  directories: readonly { path: string; uid: number }[];
  labels: Label[];
}

/** Makes directories on a host's data volume before anything uses them. Fails the update when the volume is not mounted, so that nobody lands on the root disk. */
export function makeDirectories(
  name: string,
  { name: containerName, image, owner, directories, labels }: DirectoriesArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<docker.Container> {
  return runJob(
    name,
    {
      name: containerName,
      image,
      command: ["sh", "/directories.sh", ...directories.map(({ path, uid }) => `${uid}:${path}`)],
      user: "0:0",
      capabilities: { drops: ["ALL"], adds: ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"] },
      envs: [`MOUNT=${basename(DATA_PATH)}`],
      uploads: [{ file: "/directories.sh", content: directoriesScript }],
      // The parent, to see from outside whether something is mounted there.
      volumes: [{ hostPath: dirname(DATA_PATH), containerPath: "/outside" }],
      labels,
    },
    (words) => `${owner} has no place for its data: ${words}; \`sudo /usr/local/sbin/openclaw-data\` on the host mounts it or says why not`,
    opts,
  ).done;
}
