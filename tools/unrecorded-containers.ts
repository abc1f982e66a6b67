import { z } from "zod";

import { quote } from "../lib/ssh.ts";
import { attempt, type CommandResult } from "./command.ts";
import type { Resource } from "./deployment.ts";
import { say } from "./progress.ts";

/** How a recorded connection reaches its Docker. The engine keeps a provider's lists as JSON. */
const Connection = z.object({
  host: z.string().optional(),
  sshOpts: z
    .string()
    .transform((json) => z.array(z.string()).parse(JSON.parse(json)))
    .optional(),
});

const KINDS = [
  { noun: "containers", list: ["ps", "--all"], remove: ["rm", "--force"] },
  { noun: "networks", list: ["network", "ls"], remove: ["network", "rm"] },
];

/**
 * Removes from every host that a state knows a connection to what carries the stack's label and is not in the state: containers and networks, never
 * volumes. A host that does not answer is told and left alone; on one that was not ready yet nothing was made.
 */
export async function removeUnrecordedOn(stack: string, resources: readonly Resource[]): Promise<void> {
  const recorded = new Set(resources.map(({ id }) => id));
  for (const { urn, inputs } of resources.filter(({ type }) => type === "pulumi:providers:docker")) {
    const host =
      urn
        .split("::")
        .at(-1)
        ?.replace(/-docker$/, "") ?? urn;
    const docker = clientOf(Connection.parse(inputs ?? {}));
    for (const { noun, list, remove } of KINDS) {
      const all = await docker([...list, "--no-trunc", "--quiet", "--filter", `label=openclaw-tenants.stack=${stack}`]);
      const unrecorded = all.stdout.split("\n").filter((id) => id !== "" && !recorded.has(id));
      const removed = all.isFine && unrecorded.length > 0 ? await docker([...remove, ...unrecorded]) : all;
      if (!removed.isFine) {
        say("recovery", `host "${host}" is left as it is: ${removed.complaint}`);
        break;
      }
      if (unrecorded.length > 0) say("recovery", `host "${host}": removed ${unrecorded.length} ${noun} that were not recorded`);
    }
  }
}

/** The docker client at the other end where ssh has options of its own, which docker's own client does not take. */
function clientOf({ host, sshOpts }: z.output<typeof Connection>): (args: readonly string[]) => Promise<CommandResult> {
  if (host !== undefined && sshOpts !== undefined) return (args) => attempt("ssh", [...sshOpts, host, quote(["docker", ...args])]);
  return (args) => attempt("docker", [...(host === undefined ? [] : ["--host", host]), ...args]);
}
