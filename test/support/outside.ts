import { execa } from "execa";

import type { OUTSIDE } from "../standin/machine/network.ts";
import { runInside } from "../standin/machine/processes.ts";
import { namespaceOf } from "../standin/machine/world.ts";

/** How a command ended; never thrown, so that a test can look at a failure. */
export interface Ended {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

/** Other places of a world than the operator's, which is the test's own. */
export interface Outside {
  /** Runs a command where its connections come from that client's addresses. */
  exec: (who: keyof typeof OUTSIDE, command: readonly string[]) => Promise<Ended>;
  /** Runs a command as root on a server, past SSH, and gives what it printed. */
  inMachine: (name: string, command: readonly string[]) => Promise<string>;
}

/** The places of a world that has a server. */
export function outside(world: string): Outside {
  return {
    exec: async (who, [file = "", ...args]) => {
      const { exitCode, stdout, stderr } = await execa("nsenter", [`--net=/run/netns/${namespaceOf(world, who)}`, file, ...args], { reject: false });
      return { exitCode, stdout, stderr };
    },
    inMachine: async (name, command) => {
      const { isFine, stdout, complaint } = await runInside(world, name, command);
      if (!isFine) throw new Error(`${command.join(" ")} failed on server ${name}:\n${complaint}`);
      return stdout;
    },
  };
}
