import * as pulumi from "@pulumi/pulumi";

import { type Connection, runDocker } from "./connection.ts";

export interface PidsLimitArgs {
  /** Container name on the host. */
  container: string;
  /** Processes and threads it may have. */
  pids: number;
  connection: Connection;
}

/**
 * Sets a container's pids limit as soon as it is made: Docker has one, the Docker provider has no argument for it. Docker keeps the limit through
 * restarts. A failure fails the update.
 */
export function limitPids(name: string, { container, pids, connection }: PidsLimitArgs): pulumi.ResourceHook {
  return new pulumi.ResourceHook(`${name}-pids-limit`, async () => {
    try {
      await runDocker(connection, ["update", "--pids-limit", `${pids}`, container]);
    } catch (error) {
      throw new Error(`container ${container} runs without its pids limit; set it with: docker update --pids-limit ${pids} ${container}`, { cause: error });
    }
  });
}
