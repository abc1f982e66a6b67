import * as grpc from "@grpc/grpc-js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import engineServices from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";

import { ownValue } from "../../lib/own.ts";
import { answer } from "./answer.ts";
import { type Props, readProps, UNKNOWN, writeProps } from "./properties.ts";
import type { Kind, OperationContext, Provider } from "./provider.ts";
import { checked, differing } from "./responses.ts";

/** The calls that concern one resource, answered by its kind. */
export function answerResourceCalls({ name, version, kinds }: Provider): grpc.UntypedServiceImplementation {
  const cancelled = new AbortController();
  const findKind = (request: { getType(): string }): Kind => {
    const kind = ownValue(kinds, request.getType());
    if (kind === undefined) throw new Error(`the stand-in for ${name} ${version} has no resource type ${request.getType()}`);
    return kind;
  };
  const contextOf = (request: { getUrn(): string; getTimeout(): number }): OperationContext => {
    const timeoutSeconds = request.getTimeout();
    const timeUp = timeoutSeconds > 0 ? [AbortSignal.timeout(timeoutSeconds * 1000)] : [];
    const urn = request.getUrn();
    return { urn, timeoutSeconds, signal: AbortSignal.any([cancelled.signal, ...timeUp]), log: log.bind(undefined, urn) };
  };
  return {
    cancel: answer(() => {
      cancelled.abort(new Error("the update was cancelled"));
      return new empty.Empty();
    }),
    check: answer((request: messages.CheckRequest) => checked(findKind(request).inputs, readProps(request.getNews()))),
    diff: answer((request: messages.DiffRequest) => {
      const kind = findKind(request);
      const replaces = (property: string) => kind.update === undefined || (kind.replace ?? []).includes(property);
      // Inputs with inputs: what the provider added to the outputs is no change.
      const response = differing(readProps(request.getOldInputs()), readProps(request.getNews()), replaces);
      response.setDeletebeforereplace(kind.deleteBeforeReplace === true && response.getReplacesList().length > 0);
      return response;
    }),
    create: answer(async (request: messages.CreateRequest) => {
      const kind = findKind(request);
      const inputs = readProps(request.getProperties());
      const response = new messages.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(writeProps({ ...previewOutputs(kind), ...inputs }));
        return response;
      }
      const { id, outputs } = await kind.create(inputs, contextOf(request));
      response.setId(id);
      response.setProperties(writeProps(outputs));
      return response;
    }),
    update: answer(async (request: messages.UpdateRequest) => {
      const kind = findKind(request);
      const olds = readProps(request.getOlds());
      const news = readProps(request.getNews());
      const response = new messages.UpdateResponse();
      if (request.getPreview()) {
        response.setProperties(writeProps({ ...previewOutputs(kind, olds), ...news }));
        return response;
      }
      // Without one, the engine asks only to get over an earlier failure: nothing else has changed.
      response.setProperties(writeProps((await kind.update?.(request.getId(), olds, news, contextOf(request))) ?? olds));
      return response;
    }),
    read: answer(async (request: messages.ReadRequest) => {
      const kind = findKind(request);
      const olds = readProps(request.getProperties());
      const response = new messages.ReadResponse();
      if (kind.read === undefined && Object.keys(olds).length === 0) throw new Error(`${request.getType()} cannot be imported`);
      const found = kind.read === undefined ? { inputs: readProps(request.getInputs()), outputs: olds } : await kind.read(request.getId(), olds);
      // An empty id says that it is gone.
      if (found === undefined) return response;
      response.setId(request.getId());
      response.setInputs(writeProps(found.inputs));
      response.setProperties(writeProps(found.outputs));
      return response;
    }),
    delete: answer(async (request: messages.DeleteRequest) => {
      await findKind(request).delete?.(request.getId(), readProps(request.getProperties()), contextOf(request));
      return new empty.Empty();
    }),
  };
}

/** What a preview can say of the computed outputs: nothing before there is a resource, then what they were, where they stay. */
function previewOutputs({ computed = [], renewed = [] }: Kind, olds?: Props): Props {
  const kept = olds === undefined ? [] : computed.filter((output) => !renewed.includes(output));
  return Object.fromEntries(computed.map((output) => [output, kept.includes(output) ? olds?.[output] : UNKNOWN]));
}

let engineClient: engineServices.EngineClient | undefined;

/** The engine's address is the only argument that is no option. */
function log(urn: string, message: string): void {
  const address = process.argv.slice(2).find((argument) => !argument.startsWith("-"));
  if (address === undefined) return;
  const request = new engine.LogRequest();
  request.setSeverity(engine.LogSeverity.INFO);
  request.setUrn(urn);
  request.setMessage(message);
  // Shown while the update runs, and not kept.
  request.setEphemeral(true);
  engineClient ??= new engineServices.EngineClient(address, grpc.credentials.createInsecure());
  // Told or not, the operation goes on.
  engineClient.log(request, () => undefined);
}
