import type * as grpc from "@grpc/grpc-js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import * as z from "zod";

import { ownValue } from "../../lib/own.ts";
import { answer } from "./answer.ts";
import { type Props, readProps, writeProps } from "./properties.ts";
import type { Provider } from "./provider.ts";
import { checked, differing } from "./responses.ts";

/** The calls that concern the provider itself and its functions. */
export function answerProviderCalls(provider: Provider): grpc.UntypedServiceImplementation {
  const { name, version, config = z.strictObject({}), functions = {} } = provider;
  let configured: Props = {};
  /** The engine adds the version, by which it finds this plug-in again. */
  const splitVersion = ({ version: ofPlugIn, ...own }: Props) => ({ own, ofPlugIn: ofPlugIn === undefined ? {} : { version: ofPlugIn } });
  return {
    // Secrets are not accepted: the engine then takes the marks off, and puts them on again by the names of outputs.
    handshake: answer(() => new messages.ProviderHandshakeResponse()),
    attach: answer(() => new empty.Empty()),
    getPluginInfo: answer(() => {
      const info = new plugin.PluginInfo();
      info.setVersion(version);
      return info;
    }),
    getSchema: answer(() => {
      const response = new messages.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name, version }));
      return response;
    }),
    checkConfig: answer((request: messages.CheckRequest) => {
      const { own, ofPlugIn } = splitVersion(readProps(request.getNews()));
      return checked(config, own, ofPlugIn);
    }),
    diffConfig: answer((request: messages.DiffRequest) => differing(readProps(request.getOldInputs()), readProps(request.getNews()), () => false)),
    configure: answer(async (request: messages.ConfigureRequest) => {
      configured = splitVersion(readProps(request.getArgs())).own;
      await provider.configure?.(configured);
      const response = new messages.ConfigureResponse();
      response.setSupportspreview(true);
      return response;
    }),
    invoke: answer(async (request: messages.InvokeRequest) => {
      const run = ownValue(functions, request.getTok());
      if (run === undefined) throw new Error(`the stand-in for ${name} ${version} has no function ${request.getTok()}`);
      const response = new messages.InvokeResponse();
      response.setReturn(writeProps(await run(readProps(request.getArgs()), configured)));
      return response;
    }),
  };
}
