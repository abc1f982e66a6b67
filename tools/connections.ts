import { z } from "zod";

import { quote } from "../lib/ssh.ts";
import { attempt, type CommandOptions, type CommandResult } from "./command.ts";
import type { Resource } from "./deployment.ts";

/** How a recorded connection reaches its Docker. The engine keeps a provider's lists as JSON. */
const Connection = z.object({
  host: z.string().optional(),
  sshOpts: z
    .string()
    .transform((json) => z.array(z.string()).parse(JSON.parse(json)))
    .optional(),
});

/** A host whose Docker a state knows how to reach. */
export interface KnownHost {
  id: string;
  /** Runs the docker client against it. */
  docker: (args: readonly string[]) => Promise<CommandResult>;
}

/** Every host that a state knows a connection to. */
export function findHosts(resources: readonly Resource[], options: Pick<CommandOptions, "env" | "timeoutMs"> = {}): KnownHost[] {
  return resources
    .filter(({ type }) => type === "pulumi:providers:docker")
    .map(({ urn, inputs }) => {
      const id = urn.split("::").at(-1) ?? urn;
      return { id: id.replace(/-docker$/, ""), docker: clientOf(Connection.parse(inputs ?? {}), options) };
    });
}

/** The docker client at the other end where ssh has options of its own, which docker's own client does not take. */
function clientOf({ host, sshOpts }: z.output<typeof Connection>, options: Pick<CommandOptions, "env" | "timeoutMs">): KnownHost["docker"] {
  if (host !== undefined && sshOpts !== undefined) return (args) => attempt("ssh", [...sshOpts, host, quote(["docker", ...args])], options);
  return (args) => attempt("docker", [...(host === undefined ? [] : ["--host", host]), ...args], options);
}
