import { z } from "zod";

import { sshArgs } from "../lib/ssh.ts";
import { attempt, run } from "./command.ts";
import { say } from "./progress.ts";

export interface UnrecordedOnArgs {
  projectDir: string;
  stack: string;
  /** Ids of everything in the state. */
  recorded: ReadonlySet<string>;
}

const Hosts = z.record(z.string(), z.object({ address: z.string(), hostKey: z.string() }));

/** Removes from every server of the stack's outputs the containers and networks that carry its label and are not recorded. Volumes are never touched. */
export async function removeUnrecordedOn({ projectDir, stack, recorded }: UnrecordedOnArgs): Promise<void> {
  const { isFine, stdout } = await attempt("pulumi", ["stack", "output", "hosts", "--json", "--stack", stack], { cwd: projectDir });
  if (!isFine) return;
  for (const [host, target] of Object.entries(Hosts.parse(JSON.parse(stdout)))) {
    const docker = async (...args: string[]): Promise<string> =>
      await run(`docker ${args[0] ?? ""} on host "${host}"`, "ssh", sshArgs(target, ["docker", ...args]));
    for (const [list, remove] of [
      [
        ["ps", "--all"],
        ["rm", "--force"],
      ],
      [
        ["network", "ls"],
        ["network", "rm"],
      ],
    ] as const) {
      const all = await docker(...list, "--no-trunc", "--quiet", "--filter", `label=openclaw-tenants.stack=${stack}`);
      const unrecorded = all.split("\n").filter((id) => id !== "" && !recorded.has(id));
      if (unrecorded.length === 0) continue;
      await docker(...remove, ...unrecorded);
      say("recovery", `host "${host}": removed ${unrecorded.length} that were not recorded (docker ${list[0]})`);
    }
  }
}
