import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

import { shortHash } from "../lib/hash.ts";
import { type PlannedHost, SKILLS_PATH } from "../plan/host.ts";
import { type Connection, providerArgs } from "./connection.ts";
import { bindTo, GATEWAY_UID, labelsFor, writeFiles } from "./containers.ts";
import { makeDirectories } from "./directories.ts";

export interface HostArgs {
  /** Name of the stack; part of every name and label on the host. */
  stack: string;
  /** The host with all that the plan placed on it. */
  host: PlannedHost;
  caddyImage: string;
  connection: Connection;
}

/** A machine that runs Docker: the connection to it, the images, and the skills that its tenants share. */
export class Host extends pulumi.ComponentResource {
  /** Connection that everything on this host is made through. */
  readonly provider: docker.Provider;
  /** Image id by reference, pulled once. */
  readonly images: Readonly<Record<string, pulumi.Output<string>>>;
  readonly caddyImage: pulumi.Output<string>;
  /** Volume with the shared library; written before anybody reads it. */
  readonly skills: pulumi.Output<string>;
  /** Volume of the authoring instance. Absent: there is none on this host. */
  readonly authored: pulumi.Output<string> | undefined;
  /** Directories on the data volume that tenants share. Absent: Docker's own volumes do. */
  readonly prepared: pulumi.Output<docker.Container> | undefined;

  constructor(name: string, args: HostArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs of its own: they would show an update of the host for every tenant that comes or goes.
    super("openclaw:index:Host", name, {}, opts);
    const { stack, host, connection } = args;

    this.provider = new docker.Provider(`${name}-docker`, providerArgs(connection), { parent: this });
    const child: pulumi.CustomResourceOptions = { parent: this, provider: this.provider };

    // Kept when they are no longer named: other stacks may run them, and a roll-back wants them at once.
    const pull = (resource: string, reference: string, users: string): pulumi.Output<string> =>
      new docker.RemoteImage(resource, { name: reference, keepLocally: true }, { ...child, hooks: { onError: [explainImage(resource, reference, users)] } })
        .imageId;
    this.caddyImage = pull(`${name}-caddy-image`, args.caddyImage, `Caddy on host "${host.id}"`);
    this.images = Object.fromEntries(
      host.images.map((reference) => {
        const users = host.tenants.filter(({ image }) => image === reference).map(({ id }) => `tenant "${id}"`);
        return [reference, pull(`${name}-openclaw-image-${shortHash(reference)}`, reference, users.join(", "))];
      }),
    );

    this.prepared =
      host.directory === undefined
        ? undefined
        : makeDirectories(
            `${name}-directories`,
            {
              name: host.names.directories,
              image: this.caddyImage,
              owner: `host "${host.id}"`,
              directories: [
                { path: "authored", uid: GATEWAY_UID },
                // Caddy runs as root, without the right to read what is not its own.
                { path: "caddy", uid: 0 },
              ],
              labels: labelsFor(stack, "directories"),
            },
            child,
          );
    const volume = new docker.Volume(`${name}-skills`, { name: host.names.skills, labels: labelsFor(stack, "skills") }, child);
    const library = writeFiles(
      `${name}-skills`,
      {
        name: host.names.skills,
        image: this.caddyImage,
        volume: volume.name,
        mountPath: SKILLS_PATH,
        // The path names the content, so a change of the library is seen in every tenant's preview.
        files: host.library.files.map(({ path, contentBase64, isExecutable }) => ({
          file: `${host.library.path}/${path}`,
          contentBase64,
          executable: isExecutable,
        })),
        labels: labelsFor(stack, "skills"),
      },
      child,
    );
    this.skills = pulumi.all([volume.name, library.id]).apply(([volumeName]) => volumeName);
    // What the authoring instance wrote is data: it stays when the stack goes.
    this.authored = host.hasAuthor
      ? new docker.Volume(
          `${name}-authored`,
          { name: host.names.authored, ...bindTo(host.directory, "authored"), labels: labelsFor(stack, "authored") },
          {
            ...child,
            retainOnDelete: host.directory === undefined,
            ...(this.prepared === undefined ? {} : { dependsOn: this.prepared.apply((job) => [job]) }),
          },
        ).name
      : undefined;

    this.registerOutputs();
  }
}

/** Says who cannot start without an image; the provider's own error names only the reference. */
function explainImage(resource: string, reference: string, users: string): pulumi.ErrorHook {
  // A tenant may be called like an image's resource, and has such a hook as well; it has no dot.
  return new pulumi.ErrorHook(`${resource}.explain`, async () => {
    await pulumi.log.error(`${users} cannot start: image ${reference} is not to be had; check the reference, and that the host reaches its registry`);
    return false;
  });
}
