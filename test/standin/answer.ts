import * as grpc from "@grpc/grpc-js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";

import { type Props, writeProps } from "./properties.ts";

/** Something was made although the operation failed: the engine records it and tries again at the next update. */
export class PartialError extends Error {
  readonly id: string;
  readonly outputs: Props;

  constructor({ id, outputs, message }: { id: string; outputs: Props; message: string }) {
    super(message);
    this.name = "PartialError";
    this.id = id;
    this.outputs = outputs;
  }
}

/** Answers a call with what `reply` makes of its request. */
export function answer<Request, Response>(reply: (request: Request) => Response | Promise<Response>): grpc.handleUnaryCall<Request, Response> {
  const respond = async (...[call, done]: Parameters<grpc.handleUnaryCall<Request, Response>>) => {
    try {
      done(null, await reply(call.request));
    } catch (error) {
      done(refusal(error));
    }
  };
  return (call, done) => void respond(call, done);
}

function refusal(error: unknown): Partial<grpc.StatusObject> {
  const details = error instanceof Error ? error.message : String(error);
  if (!(error instanceof PartialError)) return { code: grpc.status.UNKNOWN, details };
  const failure = new messages.ErrorResourceInitFailed();
  failure.setId(error.id);
  failure.setProperties(writeProps(error.outputs));
  failure.setReasonsList([error.message]);
  const detail = new any.Any();
  detail.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const rich = new status.Status();
  rich.setCode(grpc.status.UNKNOWN);
  rich.setMessage(error.message);
  rich.addDetails(detail);
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(rich.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details, metadata };
}
