import * as grpc from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";

import { readProps, writeProps } from "../../standin/properties.ts";
import { answerProviderCalls } from "../../standin/provider-calls.ts";
import { known, PartialError, type Props, type Provider, UNKNOWN } from "../../standin/provider.ts";
import { answerResourceCalls } from "../../standin/resource-calls.ts";

const TYPE = "fake:index/disk:Disk";

/** Disks of a cloud that is full at ten and sick at nine. */
const fake: Provider = {
  name: "fake",
  version: "1.0.0",
  config: z.strictObject({ token: z.string() }),
  functions: { "fake:index/whoAmI:whoAmI": (args, config) => ({ ...args, token: config["token"] }) },
  kinds: {
    [TYPE]: {
      inputs: z.strictObject({ size: known(z.int()).default(1), location: known(z.enum(["fsn1", "nbg1"])), label: known(z.string()).optional() }),
      replace: ["location"],
      deleteBeforeReplace: true,
      computed: ["address", "generation"],
      renewed: ["generation"],
      create: (inputs) => {
        if (inputs["size"] === 10) return Promise.reject(new Error("the cloud is full"));
        if (inputs["size"] === 9) return Promise.reject(new PartialError({ id: "9", outputs: { ...inputs, address: "a" }, message: "it is sick" }));
        return Promise.resolve({ id: "1", outputs: { ...inputs, address: "a", generation: 1 } });
      },
      update: (_id, olds, news) => Promise.resolve({ ...news, address: olds["address"], generation: 2 }),
      read: (id) => Promise.resolve(id === "1" ? { inputs: { size: 5, location: "fsn1" }, outputs: { size: 5, location: "fsn1", address: "a" } } : undefined),
    },
  },
};

const server = new grpc.Server();
let client: services.ResourceProviderClient;

beforeAll(async () => {
  server.addService(services.ResourceProviderService, { ...answerProviderCalls(fake), ...answerResourceCalls(fake) });
  const port = await call<number>((done) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), done);
  });
  client = new services.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
});

afterAll(() => {
  client.close();
  server.forceShutdown();
});

async function call<Response>(start: (done: (error: Error | null, response: Response) => void) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      if (error === null) resolve(response);
      else reject(error);
    });
  });
}

async function check(inputs: Props, type = TYPE): Promise<messages.CheckResponse> {
  const request = new messages.CheckRequest().setType(type).setNews(writeProps(inputs));
  return call((done) => client.check(request, done));
}

async function diff(olds: Props, news: Props): Promise<messages.DiffResponse> {
  const request = new messages.DiffRequest().setType(TYPE).setOldInputs(writeProps(olds)).setNews(writeProps(news));
  return call((done) => client.diff(request, done));
}

async function create(inputs: Props, preview = false): Promise<Props> {
  const request = new messages.CreateRequest().setType(TYPE).setProperties(writeProps(inputs)).setPreview(preview);
  return readProps((await call<messages.CreateResponse>((done) => client.create(request, done))).getProperties());
}

describe("a stand-in plug-in", () => {
  it("fills in what is left out, and reports every mistake at its place", async () => {
    const checked = await check({ location: "fsn1", label: null, __defaults: [] });
    expect(readProps(checked.getInputs())).toEqual({ size: 1, location: "fsn1" });
    expect(readProps((await check({ size: UNKNOWN, location: UNKNOWN })).getInputs())).toEqual({ size: UNKNOWN, location: UNKNOWN });
    const failures = (await check({ size: "big", location: "moon", colour: "red" })).getFailuresList();
    expect(failures.map((failure) => failure.getProperty())).toEqual(["size", "location", ""]);
    expect(failures.at(2)?.getReason()).toBe('Unrecognized key: "colour"');
  });

  it("refuses a type and a function that it does not have", async () => {
    await expect(check({}, "fake:index/server:Server")).rejects.toThrow("the stand-in for fake 1.0.0 has no resource type fake:index/server:Server");
    const request = new messages.InvokeRequest().setTok("fake:index/no:no");
    await expect(call((done) => client.invoke(request, done))).rejects.toThrow("has no function fake:index/no:no");
  });

  it("tells what an update would change, and what it would replace", async () => {
    expect((await diff({ size: 1, location: "fsn1" }, { size: 1, location: "fsn1" })).getChanges()).toBe(messages.DiffResponse.DiffChanges.DIFF_NONE);
    const changed = await diff({ size: 1, location: "fsn1" }, { size: 2, location: "fsn1", label: "x" });
    expect([changed.getDiffsList(), changed.getReplacesList(), changed.getDeletebeforereplace()]).toEqual([["size", "label"], [], false]);
    const moved = await diff({ size: 1, location: "fsn1" }, { size: 2, location: UNKNOWN });
    expect([moved.getReplacesList(), moved.getDeletebeforereplace()]).toEqual([["location"], true]);
    const kinds = [...moved.getDetaileddiffMap().entries()].map(([path, detail]) => [path, detail.getKind()] as const);
    const { UPDATE, UPDATE_REPLACE } = messages.PropertyDiff.Kind;
    expect(Object.fromEntries(kinds)).toEqual({ size: UPDATE, location: UPDATE_REPLACE });
  });

  it("previews what only the cloud can say as unknown", async () => {
    expect(await create({ size: 1, location: "fsn1" }, true)).toEqual({ size: 1, location: "fsn1", address: UNKNOWN, generation: UNKNOWN });
    const request = new messages.UpdateRequest().setType(TYPE).setPreview(true);
    request.setOlds(writeProps({ size: 1, address: "a", generation: 1 })).setNews(writeProps({ size: 2 }));
    const updated = await call<messages.UpdateResponse>((done) => client.update(request, done));
    expect(readProps(updated.getProperties())).toEqual({ size: 2, address: "a", generation: UNKNOWN });
  });

  it("fails as the cloud does, and hands over what was made all the same", async () => {
    await expect(create({ size: 10 })).rejects.toThrow("the cloud is full");
    const error = await create({ size: 9 }).catch((reason: unknown) => reason as grpc.ServiceError);
    const details = status.Status.deserializeBinary((error as grpc.ServiceError).metadata.get("grpc-status-details-bin")[0] as Buffer).getDetailsList();
    const failed = details[0]?.unpack((bytes) => messages.ErrorResourceInitFailed.deserializeBinary(bytes), "pulumirpc.ErrorResourceInitFailed");
    expect([failed?.getId(), failed?.getReasonsList(), readProps(failed?.getProperties())]).toEqual(["9", ["it is sick"], { size: 9, address: "a" }]);
  });

  it("tells what is there from what is gone", async () => {
    const read = (id: string) => call<messages.ReadResponse>((done) => client.read(new messages.ReadRequest().setType(TYPE).setId(id), done));
    expect(readProps((await read("1")).getInputs())).toEqual({ size: 5, location: "fsn1" });
    expect((await read("2")).getId()).toBe("");
  });

  it("takes its configuration and leaves the engine's own word in it alone", async () => {
    const request = new messages.CheckRequest().setNews(writeProps({ token: "t", version: "1.0.0" }));
    expect(readProps((await call<messages.CheckResponse>((done) => client.checkConfig(request, done))).getInputs())).toEqual({ token: "t", version: "1.0.0" });
    const configure = new messages.ConfigureRequest().setArgs(writeProps({ token: "t", version: "1.0.0" }));
    await call((done) => client.configure(configure, done));
    const invoke = new messages.InvokeRequest().setTok("fake:index/whoAmI:whoAmI").setArgs(writeProps({ x: 1 }));
    expect(readProps((await call<messages.InvokeResponse>((done) => client.invoke(invoke, done))).getReturn())).toEqual({ x: 1, token: "t" });
  });
});
