import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const Checkpoint = z.object({
  checkpoint: z.object({
    latest: z
      .object({
        resources: z.array(z.object({ type: z.string(), id: z.string().optional() })).default([]),
        pending_operations: z.array(z.object({ type: z.string(), resource: z.object({ urn: z.string() }) })).default([]),
      })
      .nullish(),
  }),
});

/** What the engine has written down about a stack. */
export interface State {
  /** Docker's ids of the containers and networks that the stack owns. */
  dockerIds: Set<string>;
  /** Whether nothing was ever created, or everything is gone again. */
  isEmpty: boolean;
  /** Operations that an interrupted update had begun. */
  pendingOperations: number;
}

/** Name of the project in a folder, as the engine reads it. */
export function readProjectName(projectDir: string): string {
  return z.object({ name: z.string() }).parse(parse(readFileSync(join(projectDir, "Pulumi.yaml"), "utf8"))).name;
}

/** Folder of the file backend. */
export function stateDir(env: Readonly<Record<string, string | undefined>>): string {
  return join((env["PULUMI_BACKEND_URL"] ?? "").replace(/^file:\/\//, ""), ".pulumi");
}

/** The state file of a stack, when there is one. */
export function findStateFile(projectDir: string, stack: string, dir: string = join(projectDir, ".local", "state", ".pulumi")): string | undefined {
  const file = join(dir, "stacks", readProjectName(projectDir), `${stack}.json`);
  return existsSync(file) ? file : undefined;
}

/** Reads a stack's state, without the engine: that takes a second, and this is looked at before every start. */
export function readState(file: string): State {
  const latest = Checkpoint.parse(JSON.parse(readFileSync(file, "utf8"))).checkpoint.latest;
  const isDocker = (type: string) => /^docker:index\/(container:Container|network:Network)$/.test(type);
  const ids = (latest?.resources ?? []).flatMap(({ type, id }) => (isDocker(type) && id !== undefined ? [id] : []));
  const pendingOperations = latest?.pending_operations.length ?? 0;
  return { dockerIds: new Set(ids), isEmpty: (latest?.resources.length ?? 0) + pendingOperations === 0, pendingOperations };
}
