import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

import type { PlannedHost } from "../plan/host.ts";
import { HEALTH_HOSTNAME } from "../templates/caddyfile.ts";
import { HARDENED, labelsFor, REPLACE_ON_CHANGES, runJob } from "./containers.ts";
import { limitPids } from "./pids-limit.ts";

const ADMIN_PATH = "/run/caddy";
const ADMIN_ADDRESS = `unix/${ADMIN_PATH}/admin.sock`;
const ROUTES_FILE = "/routes/Caddyfile";

/** Waits for Caddy's socket, then hands the routes over. Caddy checks them first and keeps what it has if they are wrong. */
const LOAD = `tries=0
until [ -S ${ADMIN_PATH}/admin.sock ] || [ $tries -ge 100 ]; do sleep 0.1; tries=$((tries + 1)); done
said=$(caddy reload --config ${ROUTES_FILE} --adapter caddyfile --address ${ADMIN_ADDRESS} 2>&1) && exit 0
echo "$said" | sed -n 's/^Error: //p'
exit 1`;

export interface EdgeArgs {
  /** Name of the stack; part of every label on the host. */
  stack: string;
  host: PlannedHost;
  /** Image id of Caddy. */
  image: pulumi.Input<string>;
}

/**
 * One host's Caddy. It starts from the last routes it accepted, whatever has been offered since; new ones come by a job that loads them through
 * its admin socket, so neither a new tenant nor a mistake touches the container.
 */
export class Edge extends pulumi.ComponentResource {
  constructor(name: string, args: EdgeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openclaw:index:Edge", name, {}, opts);
    const { stack, host, image } = args;
    const { edge } = host.settings;
    const child: pulumi.CustomResourceOptions = { parent: this };
    const volume = (role: string, volumeName: string, options = child): pulumi.Output<string> =>
      new docker.Volume(`${name}-${role}`, { name: volumeName, labels: labelsFor(stack, role) }, options).name;

    const admin = volume("caddy-admin", host.names.admin);
    const config = volume("caddy-config", host.names.caddyConfig);
    // Certificates: losing them costs a wait at the issuer's rate limits.
    const data = volume("caddy-data", host.names.caddyData, { ...child, retainOnDelete: edge.public });

    const caddy = new docker.Container(
      `${name}-edge`,
      {
        ...HARDENED,
        name: host.names.edge,
        image,
        command: ["caddy", "run", "--resume"],
        capabilities: { drops: ["ALL"], adds: ["CAP_NET_BIND_SERVICE"] },
        memory: 256,
        memorySwap: 256,
        tmpfs: { "/tmp": "rw,nosuid,nodev,size=16m,mode=1777" },
        envs: [`CADDY_ADMIN=${ADMIN_ADDRESS}`, "XDG_CONFIG_HOME=/config", "XDG_DATA_HOME=/data"],
        volumes: [
          { volumeName: admin, containerPath: ADMIN_PATH },
          { volumeName: config, containerPath: "/config" },
          { volumeName: data, containerPath: "/data" },
        ],
        ...(edge.network === "host" ? { networkMode: "host" } : this.#bridge(name, args)),
        healthcheck: {
          tests: ["CMD", "wget", "-q", "-O", "/dev/null", "--header", `Host: ${HEALTH_HOSTNAME}`, `http://127.0.0.1:${host.httpPort}/`],
          interval: "30s",
          timeout: "5s",
          retries: 3,
          startPeriod: "1m0s",
        },
        destroyGraceSeconds: 10,
        labels: labelsFor(stack, "edge"),
      },
      {
        ...child,
        deleteBeforeReplace: true,
        replaceOnChanges: REPLACE_ON_CHANGES,
        hooks: { afterCreate: [limitPids(name, { container: host.names.edge, pids: 128, endpoint: host.settings.endpoint })] },
      },
    );

    runJob(
      `${name}-load`,
      {
        name: host.names.load,
        image,
        command: ["sh", "-c", LOAD],
        capabilities: { drops: ["ALL"] },
        uploads: [{ file: ROUTES_FILE, content: host.routes }],
        volumes: [{ volumeName: admin, containerPath: ADMIN_PATH }],
        // A new Caddy asks for its routes again.
        labels: [...labelsFor(stack, "load"), { label: "openclaw-tenants.edge", value: caddy.id }],
      },
      (words) => `Caddy on host "${host.id}" refuses the routes and keeps serving the old ones: ${words}`,
      child,
    );
    this.registerOutputs();
  }

  /** Docker Desktop has no host network: Caddy publishes its port and dials the host by name. */
  #bridge(name: string, { stack, host }: EdgeArgs): Pick<docker.ContainerArgs, "hosts" | "networksAdvanced" | "ports"> {
    const network = new docker.Network(
      `${name}-network`,
      { name: host.names.network, driver: "bridge", labels: labelsFor(stack, "network") },
      { parent: this, deleteBeforeReplace: true },
    );
    return {
      hosts: [{ host: "host.docker.internal", ip: "host-gateway" }],
      networksAdvanced: [{ name: network.name }],
      ports: [{ internal: host.httpPort, external: host.httpPort, ...(host.settings.edge.public ? {} : { ip: "127.0.0.1" }) }],
    };
  }
}
