import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";

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
    retainOnDelete: boolean;
    deleteBeforeReplace: boolean;
    replaceOnChanges: readonly string[];
    additionalSecretOutputs: readonly string[];
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

const answers: Answers = {
  "docker:index/container:Container": () => ({ exitCode: 0, containerLogs: "" }),
  "docker:index/remoteImage:RemoteImage": (_, { name }) => ({ imageId: `id of ${String(name)}` }),
  "random:index/randomPassword:RandomPassword": (name) => ({ result: tokenOf(name) }),
  "random:index/randomUuid:RandomUuid": (name) => ({ result: `uuid-of-${name}` }),
};

/** The callbacks that the mock monitor of the SDK does not know. */
interface Monitor {
  registerResource: (request: RegisterResourceRequest, done: (error: Error | null) => void) => Promise<void>;
  registerResourceHook: (request: unknown, done: (error: null) => void) => void;
  registerErrorHook: (request: unknown, done: (error: null) => void) => void;
}

/** Runs `build` against mocks and returns every resource it registered. `over` are other answers of the provider, by type. */
export async function record<T>(build: () => T, over: Answers = {}): Promise<{ value: T; resources: Registered[] }> {
  const resources: Registered[] = [];
  const all = { ...answers, ...over };
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const given = inputs as Record<string, unknown>;
        return { id: `${name}-id`, state: { ...given, name: given["name"] ?? name, ...all[type]?.(name, given) } };
      },
      call: ({ inputs }) => inputs as Record<string, unknown>,
    },
    "openclaw-tenants",
    "test",
  );
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) => {
    resources.push(describeRequest(request));
    return register(request, done);
  };
  monitor.registerResourceHook = (_, done) => {
    done(null);
  };
  monitor.registerErrorHook = monitor.registerResourceHook;

  // The SDK keeps a stack for every promise, which takes most of the time a test needs.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const value = build();
    // Waits until every registration has been answered.
    await pulumi.runtime.disconnect();
    return { value, resources };
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
      retainOnDelete: request.getRetainondelete() ?? false,
      deleteBeforeReplace: request.getDeletebeforereplace(),
      replaceOnChanges: request.getReplaceonchangesList(),
      additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
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

/** The one resource of this type and name. Throws when there is none. */
export function findResource(resources: readonly Registered[], type: string, name: string): Registered {
  const found = resources.find((each) => each.type.endsWith(`:${type}`) && each.name === name);
  if (found === undefined)
    throw new Error(`no ${type} "${name}" was registered; there are ${resources.map((each) => `${each.type} "${each.name}"`).join(", ")}`);
  return found;
}
