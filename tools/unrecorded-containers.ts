import { findHosts } from "./connections.ts";
import type { Resource } from "./deployment.ts";
import { say } from "./progress.ts";

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
  for (const { id: host, docker } of findHosts(resources)) {
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
