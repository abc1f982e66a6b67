import * as pulumi from "@pulumi/pulumi";
import messages, {
  type RegisterErrorHookRequest,
  type RegisterResourceHookRequest,
  type RegisterResourceRequest,
  type ResourceHookResponse,
} from "@pulumi/pulumi/proto/resource_pb.js";

import { shortHash } from "../../lib/hash.ts";

/** One resource as it was registered. */
export interface Registered {
  type: string;
  name: string;
  /** Values in the clear, as the provider would get them. */
  inputs: Record<string, unknown>;
  /** The same with every secret sealed, as the engine keeps it. */
  sealed: unknown;
  /** What was asked of the engine beside the inputs. */
  options: {
    parent: string;
    provider: string;
    dependencies: readonly string[];
    protect: boolean;
    ignoreChanges: readonly string[];
    retainOnDelete: boolean;
    deleteBeforeReplace: boolean;
    deletedWith: string;
    replaceWith: readonly string[];
    replacementTrigger: unknown;
    replaceOnChanges: readonly string[];
    additionalSecretOutputs: readonly string[];
    beforeCreate: readonly string[];
    afterCreate: readonly string[];
    onError: readonly string[];
  };
}

/** Marks a secret on its way to the engine. Source: @pulumi/pulumi, runtime/rpc. */
const SEAL = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** What the stand-in provider answers beside a resource's own inputs, by type. */
type Answers = Readonly<Record<string, (name: string, inputs: Record<string, unknown>) => Record<string, unknown>>>;

/** Every generated token, so that a test can look for it. */
export const tokenOf = (name: string): string => `token-of-${name}`;

/** The middle of every generated private key, so that a test can look for it. */
export const privatePartOf = (name: string): string => `private${shortHash(name)}`;

/** Every public host key, without a comment. */
export const publicKeyOf = (name: string): string => `ssh-ed25519 public${shortHash(name)}`;

/** Hetzner's ids are numbers. */
export const numberOf = (name: string): number => parseInt(shortHash(name), 16);

const pem = (kind: string, content: string): string => `-----BEGIN ${kind}-----\n${content}\n-----END ${kind}-----\n`;

const answers: Answers = {
  "cloudflare:index/originCaCertificate:OriginCaCertificate": (name) => ({ certificate: `certificate of ${name}`, expiresOn: "2041-11-26" }),
  "command:remote:Command": (name) => ({ stdout: `words of ${name}` }),
  "docker:index/container:Container": () => ({ exitCode: 0, containerLogs: "" }),
  "docker:index/remoteImage:RemoteImage": (_, { name }) => ({ imageId: `id of ${String(name)}` }),
  "hcloud:index/primaryIp:PrimaryIp": (name, { type }) => ({ ipAddress: type === "ipv4" ? `ipv4 of ${name}` : `ipv6 of ${name}::` }),
  "hcloud:index/volume:Volume": (name) => ({ linuxDevice: `/dev/disk/by-id/scsi-0HC_Volume_${numberOf(name)}` }),
  "random:index/randomPassword:RandomPassword": (name) => ({ result: tokenOf(name) }),
  "random:index/randomUuid:RandomUuid": (name) => ({ result: `uuid-of-${name}` }),
  "tls:index/certRequest:CertRequest": (name) => ({ certRequestPem: `request of ${name}` }),
  "tls:index/locallySignedCert:LocallySignedCert": (name) => ({ certPem: `certificate of ${name}` }),
  "tls:index/privateKey:PrivateKey": (name) => ({
    privateKeyOpenssh: pem("OPENSSH PRIVATE KEY", privatePartOf(name)),
    privateKeyPem: pem("EC PRIVATE KEY", privatePartOf(name)),
    publicKeyOpenssh: `${publicKeyOf(name)}\n`,
  }),
  "tls:index/selfSignedCert:SelfSignedCert": (name) => ({ certPem: `certificate of ${name}` }),
};

/** The calls that the mock monitor of the SDK does not know. */
interface Monitor {
  registerResource: (request: RegisterResourceRequest, done: (error: Error | null) => void) => Promise<void>;
  registerResourceHook: (request: RegisterResourceHookRequest, done: (error: null) => void) => void;
  registerErrorHook: (request: RegisterErrorHookRequest, done: (error: null) => void) => void;
}

/** Where the SDK keeps what the engine calls back. Source: @pulumi/pulumi, runtime/callbacks. */
interface Callbacks {
  getCallbacks: () => { _callbacks: ReadonlyMap<string, (request: Uint8Array) => Promise<ResourceHookResponse>> };
}

/** Every hook by name; a call does what the engine's would. */
type Hooks = ReadonlyMap<string, () => Promise<void>>;

/** What a run against mocks may have otherwise. */
export interface RecordOptions {
  /** Other answers of the providers, by type. */
  over?: Answers;
  /** Answers of calls, by token. */
  calls?: Readonly<Record<string, (args: Record<string, unknown>) => Record<string, unknown>>>;
  /** Whether it is a preview: then what a provider does not answer is unknown. */
  isPreview?: boolean;
}

export interface Recorded<T> {
  value: T;
  resources: Registered[];
  hooks: Hooks;
}

/** Runs `build` against mocks and returns every resource and hook it registered. */
export async function record<T>(build: () => T, { over = {}, calls = {}, isPreview = false }: RecordOptions = {}): Promise<Recorded<T>> {
  const resources: Registered[] = [];
  const hooks = new Map<string, () => Promise<void>>();
  const hookNames: string[] = [];
  const all = { ...answers, ...over };
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const given = inputs as Record<string, unknown>;
        const id = type.startsWith("hcloud:") ? String(numberOf(name)) : `${name}-id`;
        return { id, state: { ...given, name: given["name"] ?? name, ...all[type]?.(name, given) } };
      },
      call: ({ token, inputs }) => calls[token]?.(inputs as Record<string, unknown>) ?? (inputs as Record<string, unknown>),
    },
    "openclaw-tenants",
    "test",
    isPreview,
  );
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) => {
    resources.push(describeRequest(request));
    return register(request, done);
  };
  monitor.registerResourceHook = (request, done) => {
    const callback = (pulumi.runtime as unknown as Callbacks).getCallbacks()._callbacks.get(request.getCallback()?.getToken() ?? "");
    hookNames.push(request.getName());
    hooks.set(request.getName(), async () => {
      const error = (await callback?.(new messages.ResourceHookRequest().serializeBinary()))?.getError() ?? "nobody is there to be called";
      if (error !== "") throw new Error(error);
    });
    done(null);
  };
  monitor.registerErrorHook = (request, done) => {
    hookNames.push(request.getName());
    done(null);
  };

  // The SDK keeps a stack for every promise, which takes most of the time a test needs.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const value = build();
    // Waits until every registration has been answered.
    await pulumi.runtime.disconnect();
    // The engine takes a name once, whatever kind of hook it is for.
    const twice = hookNames.filter((name, index) => hookNames.indexOf(name) !== index);
    if (twice.length > 0) throw new Error(`these hooks are registered twice: ${twice.join(", ")}`);
    return { value, resources, hooks };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function describeRequest(request: RegisterResourceRequest): Registered {
  const sealed = request.getObject()?.toJavaScript() ?? {};
  const hooks = request.getHooks();
  return {
    type: request.getType(),
    name: request.getName(),
    inputs: unsealed(sealed) as Record<string, unknown>,
    sealed: withoutSecrets(sealed),
    options: {
      parent: request.getParent(),
      provider: request.getProvider(),
      dependencies: request.getDependenciesList(),
      protect: request.getProtect() ?? false,
      ignoreChanges: request.getIgnorechangesList(),
      retainOnDelete: request.getRetainondelete() ?? false,
      deleteBeforeReplace: request.getDeletebeforereplace(),
      deletedWith: request.getDeletedwith(),
      replaceWith: request.getReplaceWithList(),
      replacementTrigger: request.getReplacementTrigger()?.toJavaScript(),
      replaceOnChanges: request.getReplaceonchangesList(),
      additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
      beforeCreate: hooks?.getBeforeCreateList() ?? [],
      afterCreate: hooks?.getAfterCreateList() ?? [],
      onError: hooks?.getOnErrorList() ?? [],
    },
  };
}

function mapSecrets(value: unknown, open: (inner: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => mapSecrets(each, open));
  if (typeof value !== "object" || value === null) return value;
  if ((value as Record<string, unknown>)[SEAL] === SECRET) return open((value as { value?: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapSecrets(each, open)]));
}

const unsealed = (value: unknown): unknown => mapSecrets(value, (inner) => unsealed(inner));
const withoutSecrets = (value: unknown): unknown => mapSecrets(value, () => "[secret]");

/** What an output comes to. */
export async function valueOf(output: unknown): Promise<unknown> {
  return new Promise((resolve) => {
    (pulumi.output(output) as pulumi.Output<unknown>).apply(resolve);
  });
}

/** What an output is made of; each part rejects when the output does. Source: @pulumi/pulumi, output.ts. */
interface Parts {
  promise: () => Promise<unknown>;
  isKnown: Promise<boolean>;
  isSecret: Promise<boolean>;
  allResources: () => Promise<unknown>;
}

/** What the output that `build` makes fails with, or undefined. */
export async function failureOf(build: () => pulumi.Output<unknown>, options: RecordOptions): Promise<unknown> {
  const { value } = await record(() => {
    const parts = build() as unknown as Parts;
    const all = [parts.promise(), parts.isKnown, parts.isSecret, parts.allResources()];
    return Promise.allSettled(all).then(([first]) => (first?.status === "rejected" ? (first.reason as unknown) : undefined));
  }, options);
  return value;
}

/** The one resource of this type and name. Throws when there is none. */
export function findResource(resources: readonly Registered[], type: string, name: string): Registered {
  const found = resources.find((each) => each.type.endsWith(`:${type}`) && each.name === name);
  if (found === undefined)
    throw new Error(`no ${type} "${name}" was registered; there are ${resources.map((each) => `${each.type} "${each.name}"`).join(", ")}`);
  return found;
}
