import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

import { AUTHORED_PATH, type PlannedTenant, SKILLS_PATH } from "../plan/host.ts";
import { prepareScript, REFUSED } from "../templates/prepare.ts";
import { WEBHOOK_PORT } from "../templates/openclaw.ts";
import { type Carry, carryData } from "./carry.ts";
import type { Connection } from "./connection.ts";
import { bindTo, GATEWAY_UID, HARDENED, type Label, labelsFor, renderCpus, REPLACE_ON_CHANGES, runJob, writeFiles } from "./containers.ts";
import { makeDirectories } from "./directories.ts";
import { limitPids } from "./pids-limit.ts";

const CONFIG_PATH = "/etc/openclaw";
const STATE_PATH = "/home/node/.openclaw";
/** Port of the gateway inside its container; also what the health check asks. */
const PORT = 18789;

export interface GatewayArgs {
  /** Name of the stack; part of every label on the host. */
  stack: string;
  /** Where the plan put this tenant; plain data, known before any resource exists. */
  tenant: PlannedTenant;
  /** Image id, from a reference that names version and digest. */
  image: pulumi.Input<string>;
  /** Volume with the shared skills library. */
  skills: pulumi.Input<string>;
  /** Volume of the authoring instance, where the tenant reads or writes it. */
  authored?: pulumi.Input<string> | undefined;
  /** Values of the tenant's secrets by name. Secret. */
  secrets: pulumi.Input<Record<string, string>>;
  connection: Connection;
  /** Where its data comes from, when it moves. */
  carry?: Pick<Carry, "from" | "image"> | undefined;
  /** Seconds until a start that is not healthy fails the update. */
  startTimeoutSeconds: number;
}

/** One tenant's gateway: its tokens, its data and its hardened container, on its own network. Suspended, only tokens and data remain. */
export class Gateway extends pulumi.ComponentResource {
  /** Bearer token of the gateway: full operator power over this tenant. Secret. */
  readonly token: pulumi.Output<string>;
  /** Bearer token of its HTTP hooks. Secret. */
  readonly hooksToken: pulumi.Output<string>;
  /** Known once its data is where it runs. Absent: it is suspended. */
  readonly prepared: pulumi.Output<pulumi.Resource> | undefined;

  constructor(name: string, args: GatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openclaw:index:Gateway", name, {}, opts);
    const { stack, tenant } = args;
    const child: pulumi.CustomResourceOptions = { parent: this };
    const labels = (role: string): Label[] => labelsFor(stack, role, tenant.id);

    // 48 letters and digits carry 285 bits, more than 32 random bytes. RandomBytes would do as well, but shows its bytes in its id.
    const newToken = (role: string): pulumi.Output<string> =>
      pulumi.secret(new random.RandomPassword(`${name}-${role}`, { length: 48, special: false }, child).result);
    this.token = newToken("token");
    this.hooksToken = newToken("hooks-token");
    // Says whose data it is: a marker with this id lies in the state volume.
    const owner = new random.RandomUuid(`${name}-owner`, {}, child);
    // A directory outlives the volume that is bound to it. When the tenant moves, all that use the old one are gone before its data leaves.
    const data = { ...child, retainOnDelete: tenant.directory === undefined, deleteBeforeReplace: true };
    const volume = (role: string, volumeName: string): docker.Volume =>
      new docker.Volume(`${name}-${role}`, { name: volumeName, ...bindTo(tenant.directory, role), labels: labels(role) }, data);
    const state = volume("state", tenant.names.stateVolume);
    const workspace = volume("workspace", tenant.names.workspaceVolume);

    this.prepared = tenant.status === "active" ? this.#run(name, args, { owner: owner.result, state: state.name, workspace: workspace.name }) : undefined;
    this.registerOutputs();
  }

  /** Everything that a suspended tenant does without. Returns what its container waits for. */
  #run(
    name: string,
    args: GatewayArgs,
    data: { owner: pulumi.Output<string>; state: pulumi.Output<string>; workspace: pulumi.Output<string> },
  ): pulumi.Output<docker.Container> {
    const { stack, tenant } = args;
    const { limits, names } = tenant;
    const child: pulumi.CustomResourceOptions = { parent: this };
    const labels = (role: string): Label[] => labelsFor(stack, role, tenant.id);

    const network = new docker.Network(
      `${name}-network`,
      { name: names.network, driver: "bridge", ipamConfigs: [{ subnet: tenant.subnet, gateway: tenant.gatewayIp }], labels: labels("network") },
      // A network keeps its subnet until it is gone.
      { ...child, deleteBeforeReplace: true },
    );
    const configVolume = new docker.Volume(`${name}-config`, { name: names.configVolume, labels: labels("config") }, child);
    const config = writeFiles(
      `${name}-config`,
      {
        name: names.configContainer,
        image: args.image,
        volume: configVolume.name,
        mountPath: CONFIG_PATH,
        files: [{ file: `${CONFIG_PATH}/${tenant.configFile.file}`, content: tenant.configFile.text }],
        labels: labels("config"),
      },
      child,
    );
    const directories =
      tenant.directory === undefined
        ? undefined
        : makeDirectories(
            `${name}-directories`,
            {
              name: names.directoriesContainer,
              image: args.image,
              owner: `tenant "${tenant.id}"`,
              directories: ["", "/state", "/workspace"].map((part) => ({ path: `tenants/${tenant.id}${part}`, uid: GATEWAY_UID })),
              labels: labels("directories"),
            },
            child,
          );
    const carry = args.carry === undefined ? undefined : { ...args.carry, to: args.connection, tenant, owner: data.owner };
    const prepared = runJob(
      `${name}-prepare`,
      {
        name: names.prepareContainer,
        image: args.image,
        command: ["sh", "/prepare.sh"],
        user: "0:0",
        // Enough to hand a new volume to the gateway's user, and no more.
        capabilities: { drops: ["ALL"], adds: ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"] },
        envs: [pulumi.interpolate`OWNER=${data.owner}`, `ADOPT=${tenant.adopt}`, `RUN_AS=${GATEWAY_UID}`],
        uploads: [
          { file: "/prepare.sh", content: prepareScript },
          ...tenant.seed.map(({ path, contentBase64, isExecutable }) => ({ file: `/seed/${path}`, contentBase64, executable: isExecutable })),
        ],
        volumes: [
          { volumeName: data.state, containerPath: "/data/state" },
          { volumeName: data.workspace, containerPath: "/data/workspace" },
          ...(args.authored === undefined ? [] : [{ volumeName: args.authored, containerPath: "/data/authored" }]),
        ],
        labels: labels("prepare"),
      },
      (words) =>
        `tenant "${tenant.id}" cannot use its data${words.includes(REFUSED) ? `: volume ${names.stateVolume} belongs to an earlier tenant of this id; say adopt: true if it is the same client, else choose another id` : `: ${words}`}`,
      {
        ...child,
        ...(directories === undefined ? {} : { dependsOn: directories.apply((job) => [job]) }),
        ...(carry === undefined ? {} : { hooks: { beforeCreate: [carryData(name, carry)] } }),
      },
    );

    const authored = args.authored === undefined ? [] : [{ volumeName: args.authored, containerPath: AUTHORED_PATH, readOnly: tenant.authored !== "write" }];
    new docker.Container(
      `${name}-gateway`,
      {
        ...HARDENED,
        name: names.container,
        // A replacement under another hostname is locked out of its own state for minutes.
        hostname: tenant.id,
        image: args.image,
        command: ["node", "openclaw.mjs", "gateway", "--bind", "lan", "--port", `${PORT}`],
        user: `${GATEWAY_UID}:${GATEWAY_UID}`,
        capabilities: { drops: ["ALL"] },
        // Both, always: memory alone implies swap and can never be raised in place.
        memory: limits.memoryMb,
        memorySwap: limits.memoryMb,
        cpus: renderCpus(limits.cpus),
        tmpfs: { "/tmp": "rw,nosuid,nodev,size=512m,mode=1777" },
        envs: renderEnv(args, this.token, this.hooksToken),
        volumes: [
          { volumeName: data.state, containerPath: STATE_PATH },
          { volumeName: data.workspace, containerPath: `${STATE_PATH}/workspace` },
          { volumeName: configVolume.name, containerPath: CONFIG_PATH, readOnly: true },
          { volumeName: args.skills, containerPath: SKILLS_PATH, readOnly: true },
          ...authored,
        ],
        networksAdvanced: [{ name: network.name }],
        // Loopback only: Docker's own rules run before the host firewall's.
        ports: [
          { internal: PORT, external: tenant.port, ip: "127.0.0.1" },
          ...(tenant.webhookPort === undefined ? [] : [{ internal: WEBHOOK_PORT, external: tenant.webhookPort, ip: "127.0.0.1" }]),
        ],
        // Durations in Go's own form, or every preview shows a change.
        healthcheck: { tests: ["CMD", "curl", "-fsS", `http://127.0.0.1:${PORT}/healthz`], interval: "15s", timeout: "10s", retries: 3, startPeriod: "1m30s" },
        wait: true,
        waitTimeout: args.startTimeoutSeconds,
        // Unset means an immediate SIGKILL on every replacement.
        destroyGraceSeconds: 60,
        stopTimeout: 60,
        // The limit itself is set by a hook, which only a new container calls.
        labels: [...labels("gateway"), { label: "openclaw-tenants.pids", value: `${limits.pids}` }],
      },
      {
        ...child,
        dependsOn: pulumi.all([prepared.done, config.urn]).apply(([job]) => [job, config]),
        deleteBeforeReplace: true,
        replaceOnChanges: REPLACE_ON_CHANGES,
        additionalSecretOutputs: ["envs"],
        hooks: {
          afterCreate: [limitPids(name, { container: names.container, pids: limits.pids, connection: args.connection })],
          onError: [explainFailure(name, args)],
        },
      },
    );
    return prepared.done;
  }
}

/** Says which tenant did not start and where to look; the provider's own error names a container and no reason. */
function explainFailure(name: string, { tenant, startTimeoutSeconds }: GatewayArgs): pulumi.ErrorHook {
  return new pulumi.ErrorHook(`${name}-explain`, async ({ failedOperation }) => {
    // A container that cannot be deleted has not failed to start; there the provider's error says why.
    if (failedOperation === "delete") return false;
    await pulumi.log.error(
      `tenant "${tenant.id}" did not become healthy within ${startTimeoutSeconds} s, and nobody else waits for it; its last words: docker logs --tail 50 ${tenant.names.container}`,
    );
    return false;
  });
}

/** The container's environment. Secret as a whole, because some of it is. */
function renderEnv({ tenant, secrets }: GatewayArgs, token: pulumi.Output<string>, hooksToken: pulumi.Output<string>): pulumi.Output<string[]> {
  const plain: Record<string, string> = {
    // Docker replaces the config file. A watch on it is lost when that is seen half-way, so OpenClaw looks at it once a second instead.
    CHOKIDAR_INTERVAL: "1000",
    CHOKIDAR_USEPOLLING: "true",
    HOME: "/home/node",
    MALLOC_ARENA_MAX: "2",
    // Semi-space and arenas together save about 230 MiB per gateway.
    NODE_OPTIONS: `--max-old-space-size=${tenant.limits.heapMb} --max-semi-space-size=4`,
    OPENCLAW_CONFIG_PATH: `${CONFIG_PATH}/${tenant.configFile.file}`,
    // The config is this program's: OpenClaw refuses to edit it.
    OPENCLAW_CONFIG_READONLY: "1",
    OPENCLAW_DISABLE_BONJOUR: "1",
    OPENCLAW_HOME: "/home/node",
    OPENCLAW_NO_AUTO_UPDATE: "1",
    OPENCLAW_STATE_DIR: STATE_PATH,
    // With a read-only root nothing else is writable, and the gateway would take its state for broken.
    XDG_CACHE_HOME: `${STATE_PATH}/cache`,
  };
  return pulumi.secret(
    pulumi.all([secrets, token, hooksToken]).apply(([values, gateway, hooks]) => {
      const secret = Object.fromEntries(tenant.secrets.map((secretName) => [secretName, values[secretName] ?? ""]));
      const all = { ...plain, ...secret, OPENCLAW_GATEWAY_TOKEN: gateway, OPENCLAW_HOOKS_TOKEN: hooks };
      return Object.entries(all).map(([key, value]) => `${key}=${value}`);
    }),
  );
}
