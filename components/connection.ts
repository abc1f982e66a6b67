import { execFile } from "node:child_process";

import * as pulumi from "@pulumi/pulumi";

import { sshArgs, strictOptions, SSH_USER } from "../lib/ssh.ts";

/** A server that is reached over ssh and believed by one host key alone. */
export interface SshConnection {
  /** Unknown until the server is ready, so nothing is tried before. */
  address: pulumi.Output<string>;
  hostKey: pulumi.Output<string>;
}

/** How a host's Docker is reached: over ssh to a server of ours, else where the operator says; absent: what DOCKER_HOST says. */
export type Connection = { ssh: SshConnection } | { endpoint: string | undefined };

/** Arguments of the Docker provider for a connection. */
export function providerArgs(connection: Connection): { host?: pulumi.Input<string>; sshOpts?: pulumi.Input<string[]> } {
  if (!("ssh" in connection)) return connection.endpoint === undefined ? {} : { host: connection.endpoint };
  const { address, hostKey } = connection.ssh;
  return { host: pulumi.interpolate`ssh://${SSH_USER}@${address}`, sshOpts: hostKey.apply(strictOptions) };
}

/** Program and arguments that run the docker client against a host. */
export async function dockerCommand(connection: Connection, args: readonly string[]): Promise<[string, string[]]> {
  if (!("ssh" in connection)) return ["docker", [...(connection.endpoint === undefined ? [] : ["--host", connection.endpoint]), ...args]];
  const { address, hostKey } = connection.ssh;
  const target = await valueOf(pulumi.all([address, hostKey]).apply(([at, key]) => ({ address: at, hostKey: key })));
  // Docker's own client takes no arguments for ssh, so it runs at the other end.
  return ["ssh", sshArgs(target, ["docker", ...args])];
}

/** Runs the docker client against a host and returns what it printed. For hooks, which run once everything they name is there. */
export async function runDocker(connection: Connection, args: readonly string[]): Promise<string> {
  const [program, argv] = await dockerCommand(connection, args);
  return new Promise((resolve, reject) => {
    execFile(program, argv, (error, stdout, stderr) => {
      // Its own message is the whole command, which may be a script.
      if (error === null) resolve(stdout);
      else reject(new Error(stderr.trim() || `docker ${args[0] ?? ""} ended with ${error.code ?? error.signal ?? "nothing"}`, { cause: error }));
    });
  });
}

/** The value of an input that is known by now. */
export async function valueOf<T>(input: pulumi.Input<T>): Promise<pulumi.Unwrap<T>> {
  return new Promise((resolve) => {
    pulumi.output(input).apply(resolve);
  });
}
