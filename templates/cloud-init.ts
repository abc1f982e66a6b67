import { readFileSync } from "node:fs";
import { isIP } from "node:net";

import { isNode, type Node, parseDocument, visit } from "yaml";

import { UserError } from "../lib/errors.ts";

const template = readFileSync(new URL("cloud-init.yaml", import.meta.url), "utf8");

/** Where the data volume is mounted on a host; everything a tenant owns lies below. */
export const DATA_PATH = "/srv/openclaw";

/** Hetzner takes no more user data. */
const MAX_BYTES = 32 * 1024;

/** Marks what only a host in a tailnet has. */
const TAILSCALE_TAG = "!tailscale";

/** One line of type, key and comment. */
const PUBLIC_KEY = /^(ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+ [A-Za-z0-9+/]+={0,2}( \P{C}*)?$/u;
const PRIVATE_KEY = /^-----BEGIN OPENSSH PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+\n-----END OPENSSH PRIVATE KEY-----$/;

export interface CloudInitArgs {
  hostname: string;
  /** The host's own SSH key, delivered at first boot so that the first connection is verified. The private half is the only secret here. */
  hostKey: { privateOpenssh: string; publicOpenssh: string };
  /** Public keys of operators. */
  operatorKeys: readonly string[];
  /** `/dev/disk/by-id/scsi-0HC_Volume_<id>` */
  dataDevice: string;
  /** Local time of the unattended reboot after security upgrades, "04:00". */
  rebootAt: string;
  /** MiB of swap for the system itself; containers have none. */
  swapMb: number;
  /** Ranges that tenants must not reach: the private network of the hosts. */
  privateRanges: readonly string[];
  hasTailscale: boolean;
  /** Word of the deliberate rebuild that this server comes from. Another word is another server. */
  builtFor: string | undefined;
}

/**
 * User data of one host. It is filled in as a document and not as text, so no value can break its syntax; what goes on from there into a file of
 * another syntax is checked. Sorted, and free of clocks: equal input gives equal bytes.
 */
export function renderCloudInit(args: CloudInitArgs): string {
  refuseStrays(args);
  const values = valuesOf(args);
  const document = parseDocument(template);

  const settle = (node: Node): symbol | undefined => {
    if (node.tag !== TAILSCALE_TAG) return undefined;
    delete node.tag;
    return args.hasTailscale ? undefined : visit.REMOVE;
  };
  visit(document, {
    // Removed with its key: an empty section is not none.
    Pair: (_, { value }) => (isNode(value) ? settle(value) : undefined),
    Map: (_, map) => settle(map),
    Scalar: (_, scalar) => {
      if (typeof scalar.value === "string") scalar.value = scalar.value.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? missing(name));
      return settle(scalar);
    },
  });
  document.setIn(["users", 0, "ssh_authorized_keys"], args.operatorKeys.toSorted());
  if (args.builtFor !== undefined) document.comment = ` Built for ${args.builtFor}.`;

  const text = document.toString({ lineWidth: 0, flowCollectionPadding: false });
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_BYTES) return text;
  throw new UserError(`user data of host "${args.hostname}" is ${bytes} bytes long and Hetzner takes ${MAX_BYTES}`, {
    hint: `shorten its lists: ${args.operatorKeys.length} operator keys, ${args.privateRanges.length} private ranges`,
  });
}

function valuesOf({ hostname, hostKey, dataDevice, rebootAt, swapMb, privateRanges }: CloudInitArgs): Record<string, string> {
  const ranges = (version: 4 | 6): string =>
    privateRanges
      .filter((range) => versionOf(range) === version)
      .toSorted()
      .join(" ");
  return {
    hostname,
    privateKey: hostKey.privateOpenssh.trim(),
    publicKey: hostKey.publicOpenssh.trim(),
    dataPath: DATA_PATH,
    dataDevice,
    rebootAt,
    swapMb: `${swapMb}`,
    privateRanges4: ranges(4),
    privateRanges6: ranges(6),
  };
}

/** Whatever would mean something else in a shell, fstab, apt's configuration or authorized_keys. The settings refuse it first, with a way out. */
function refuseStrays(args: CloudInitArgs): void {
  const refuse = (what: string, value: unknown): never => {
    throw new Error(`${what} ${JSON.stringify(value)} of host ${JSON.stringify(args.hostname)} cannot go into its user data`);
  };
  const check = (what: string, value: string, pattern: RegExp): void => {
    if (!pattern.test(value)) refuse(what, value);
  };
  check("name", args.hostname, /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/);
  check("data device", args.dataDevice, /^\/dev\/disk\/by-id\/[\w.-]+$/);
  check("reboot time", args.rebootAt, /^([01]\d|2[0-3]):[0-5]\d$/);
  check("swap size", `${args.swapMb}`, /^\d+$/);
  check("public host key", args.hostKey.publicOpenssh.trim(), PUBLIC_KEY);
  // Not shown: it is the secret one.
  if (!PRIVATE_KEY.test(args.hostKey.privateOpenssh.trim())) refuse("private host key", "…");
  if (args.operatorKeys.length === 0) refuse("list of operator keys", args.operatorKeys);
  for (const key of args.operatorKeys) check("operator key", key, PUBLIC_KEY);
  for (const range of args.privateRanges) if (versionOf(range) === undefined) refuse("private range", range);
  check("rebuild", args.builtFor ?? "", /^[\w.-]*$/);
}

/** 4 or 6, of a range such as 10.0.0.0/16. */
function versionOf(range: string): 4 | 6 | undefined {
  const [, address = "", prefix = ""] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(range) ?? [];
  const version = isIP(address);
  if (version === 4) return Number(prefix) <= 32 ? 4 : undefined;
  if (version === 6) return Number(prefix) <= 128 ? 6 : undefined;
  return undefined;
}

function missing(name: string): never {
  throw new Error(`the template asks for {{${name}}}, which nobody fills in`);
}
