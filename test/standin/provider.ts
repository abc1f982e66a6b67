import * as grpc from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type * as z from "zod";

import { PartialError } from "./answer.ts";
import { known, type Props, UNKNOWN } from "./properties.ts";
import { answerProviderCalls } from "./provider-calls.ts";
import { answerResourceCalls } from "./resource-calls.ts";

export { known, PartialError, type Props, UNKNOWN };

export interface Kind {
  /** Strict schema of the inputs: unknown and missing properties are check failures, defaults are filled in. In previews values may be UNKNOWN: `previewable` allows for it everywhere, `known` in one place. */
  inputs: z.ZodType;
  /** Inputs whose change replaces the resource (names of top-level properties). */
  replace?: readonly string[];
  /** Whether the old one has to go first (a fixed name, an address). */
  deleteBeforeReplace?: boolean;
  /** Outputs that exist only after creation; unknown in a create preview and copied from the old state in an update preview. */
  computed?: readonly string[];
  /** Those of them that an update makes anew: unknown in an update preview as well. */
  renewed?: readonly string[];
  /** Makes it. Throws an Error to fail, a PartialError when something was made all the same. */
  create(inputs: Props, context: OperationContext): Promise<{ id: string; outputs: Props }>;
  /** In place; returns all outputs. Absent: every change replaces. */
  update?(id: string, olds: Props, news: Props, context: OperationContext): Promise<Props>;
  /** Current world: undefined when it is gone. Absent: what the state says is true, and nothing can be imported. */
  read?(id: string, olds: Props): Promise<{ inputs: Props; outputs: Props } | undefined>;
  /** Absent: there is nothing to take away. */
  delete?(id: string, olds: Props, context: OperationContext): Promise<void>;
}

export interface OperationContext {
  urn: string;
  /** From `customTimeouts`; 0 means none. */
  timeoutSeconds: number;
  /** Aborts when the time is up and when the operator cancels the update. */
  signal: AbortSignal;
  /** Shown under the resource while the update runs. */
  log: (message: string) => void;
}

export interface Provider {
  name: string;
  version: string;
  /** Strict schema of the provider's own configuration. Default: it takes none. */
  config?: z.ZodType;
  /** By type token, like `hcloud:index/server:Server`. */
  kinds: Readonly<Record<string, Kind>>;
  /** By token, like `hcloud:index/getLocation:getLocation`. */
  functions?: Readonly<Record<string, (args: Props, config: Props) => Props | Promise<Props>>>;
  configure?(config: Props): Promise<void>;
}

/** Serves a provider to the engine that started this process; ends with it. */
export function serve(provider: Provider): void {
  const server = new grpc.Server({ "grpc.max_receive_message_length": 400 * 2 ** 20 });
  server.addService(services.ResourceProviderService, { ...answerProviderCalls(provider), ...answerResourceCalls(provider) });
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.stdout.write(`${port}\n`);
  });
  // The engine holds the other end, so this is how its death is noticed.
  process.stdin.resume().on("end", () => process.exit(0));
}
