import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

import type { PlannedHost } from "../plan/host.ts";
import { shortHash } from "../lib/hash.ts";
import { CERTIFICATES_PATH, HEALTH_HOSTNAME } from "../templates/caddyfile.ts";
import type { Connection } from "./connection.ts";
import { bindTo, HARDENED, labelsFor, REPLACE_ON_CHANGES, runJob, type Upload, writeFiles } from "./containers.ts";
import { limitPids } from "./pids-limit.ts";

const ADMIN_PATH = "/run/caddy";
const ADMIN_ADDRESS = `unix/${ADMIN_PATH}/admin.sock`;
const ROUTES_FILE = "/routes/Caddyfile";

/**
 * Waits for Caddy's socket, then hands the routes over. Caddy checks them first and keeps what it has if they are wrong. Forced, because a new
 * certificate comes under the same name.
 */
const LOAD = `tries=0
until [ -S ${ADMIN_PATH}/admin.sock ] || [ $tries -ge 100 ]; do sleep 0.1; tries=$((tries + 1)); done
said=$(caddy reload --force --config ${ROUTES_FILE} --adapter caddyfile --address ${ADMIN_ADDRESS} 2>&1) && exit 0
echo "$said" | sed -n 's/^Error: //p'
exit 1`;

export interface EdgeArgs {
  /** Name of the stack; part of every label on the host. */
  stack: string;
  host: PlannedHost;
  /** Image id of Caddy. */
  image: pulumi.Input<string>;
  connection: Connection;
  /** Files that it shows its callers, by name. Secret. Absent: its certificates are its own. */
  certificates?: Readonly<Record<string, pulumi.Input<string>>> | undefined;
  /** What has to be done on the host before its directories are used. */
  prepared?: pulumi.Input<pulumi.Resource> | undefined;
}

/**
 * One host's Caddy. It starts from the last routes it accepted, whatever has been offered since; new ones come by a job that loads them through
 * its admin socket, so neither a new tenant nor a mistake touches the container.
 */
export class Edge extends pulumi.ComponentResource {
  constructor(name: string, args: EdgeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openclaw:index:Edge", name, {}, opts);
    const { stack, host, image, connection, prepared } = args;
    const { edge } = host;
    const child: pulumi.CustomResourceOptions = { parent: this };
    const volume = (role: string, volumeName: string, options = child): pulumi.Output<string> =>
      new docker.Volume(`${name}-${role}`, { name: volumeName, labels: labelsFor(stack, role) }, options).name;

    const admin = volume("caddy-admin", host.names.admin);
    const config = volume("caddy-config", host.names.caddyConfig);
    // Certificates of its own: losing them costs a wait at the issuer's rate limits.
    const data = new docker.Volume(
      `${name}-caddy-data`,
      { name: host.names.caddyData, ...bindTo(host.directory, "caddy"), labels: labelsFor(stack, "caddy-data") },
      { ...child, retainOnDelete: edge.isPublic && host.directory === undefined },
    ).name;
    const certificates = args.certificates === undefined ? undefined : this.#bringCertificates(name, args, args.certificates);

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
          ...(certificates === undefined ? [] : [{ volumeName: certificates.volume, containerPath: CERTIFICATES_PATH, readOnly: true }]),
        ],
        ...(edge.network === "host" ? { networkMode: "host" } : this.#bridge(name, args)),
        healthcheck: {
          tests: ["CMD", "wget", "-q", "-O", "/dev/null", "--header", `Host: ${HEALTH_HOSTNAME}`, `http://127.0.0.1:${edge.httpPort}/`],
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
        ...(prepared === undefined ? {} : { dependsOn: pulumi.output(prepared).apply((job) => [job]) }),
        deleteBeforeReplace: true,
        replaceOnChanges: REPLACE_ON_CHANGES,
        // A tenant may be called like its host, and has such a hook as well; it has no dot.
        hooks: { afterCreate: [limitPids(`${name}.edge`, { container: host.names.edge, pids: 128, connection })] },
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
        // A new Caddy asks for its routes again, and every Caddy reads new certificates only then.
        labels: [
          ...labelsFor(stack, "load"),
          { label: "openclaw-tenants.edge", value: caddy.id },
          ...(certificates === undefined ? [] : [{ label: "openclaw-tenants.certificates", value: certificates.hash }]),
        ],
      },
      (words) => `Caddy on host "${host.id}" refuses the routes and keeps serving the old ones: ${words}`,
      child,
    );
    this.registerOutputs();
  }

  /** Writes the certificates where Caddy reads them. `hash` names their content once they are there. */
  #bringCertificates(
    name: string,
    { stack, host, image }: EdgeArgs,
    files: Readonly<Record<string, pulumi.Input<string>>>,
  ): { volume: pulumi.Output<string>; hash: pulumi.Output<string> } {
    const child: pulumi.CustomResourceOptions = { parent: this };
    const labels = labelsFor(stack, "certificates");
    const volume = new docker.Volume(`${name}-certificates`, { name: host.names.certificates, labels }, child).name;
    const uploads = Object.entries(files).map(([file, content]): Upload => ({ file: `${CERTIFICATES_PATH}/${file}`, content, permissions: "0600" }));
    const written = writeFiles(
      `${name}-certificates`,
      { name: host.names.certificates, image, volume, mountPath: CERTIFICATES_PATH, files: uploads, labels },
      { ...child, additionalSecretOutputs: ["uploads"] },
    );
    const contents = pulumi.all(Object.values(files)).apply((all) => shortHash(JSON.stringify(all)));
    return { volume, hash: pulumi.unsecret(pulumi.all([contents, written.id]).apply(([hash]) => hash)) };
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
      ports: [host.edge.httpPort, ...(host.edge.tls === "none" ? [] : [host.edge.httpsPort])].map((port) => ({
        internal: port,
        external: port,
        ...(host.edge.isPublic ? {} : { ip: "127.0.0.1" }),
      })),
    };
  }
}
