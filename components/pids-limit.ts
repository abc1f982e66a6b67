import { execFile } from "node:child_process";
import { promisify } from "node:util";

import * as pulumi from "@pulumi/pulumi";

export interface PidsLimitArgs {
  /** Container name on the host. */
  container: string;
  /** Processes and threads it may have. */
  pids: number;
  /** Where Docker answers; absent: what DOCKER_HOST says. */
  endpoint: string | undefined;
}

/**
 * Sets a container's pids limit as soon as it is made: Docker has one, the Docker provider has no argument for it. Docker keeps the limit through
 * restarts. A failure fails the update.
 */
export function limitPids(name: string, { container, pids, endpoint }: PidsLimitArgs): pulumi.ResourceHook {
  return new pulumi.ResourceHook(`${name}-pids-limit`, async () => {
    try {
      await promisify(execFile)("docker", [...(endpoint === undefined ? [] : ["--host", endpoint]), "update", "--pids-limit", `${pids}`, container]);
    } catch (error) {
      throw new Error(`container ${container} runs without its pids limit; set it with: docker update --pids-limit ${pids} ${container}`, { cause: error });
    }
  });
}
