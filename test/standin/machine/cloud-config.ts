import { gunzipSync } from "node:zlib";

import { parse } from "yaml";
import { z } from "zod";

const Text = z.union([z.string(), z.number()]).transform(String);

/** A line for the shell, or a command with its arguments. */
const Command = z.union([z.string(), z.array(Text).min(1)]);

const User = z.strictObject({
  name: z.string(),
  gecos: z.string().optional(),
  groups: z
    .union([z.array(z.string()), z.string().transform((list) => list.split(",").map((group) => group.trim()))])
    .default([])
    .transform((groups) => groups.filter((group) => group !== "")),
  shell: z.string().optional(),
  uid: z.int().optional(),
  lock_passwd: z.boolean().default(true),
  sudo: z
    .union([z.array(z.string()), z.string().transform((rule) => [rule])])
    .nullable()
    .default([])
    .transform((rules) => rules ?? []),
  ssh_authorized_keys: z.array(z.string()).default([]),
});

const File = z
  .strictObject({
    path: z.string().startsWith("/"),
    content: z.string().default(""),
    encoding: z.enum(["text/plain", "b64", "base64", "gz+b64", "gz+base64", "gzip+b64", "gzip+base64"]).default("text/plain"),
    owner: z.string().default("root:root"),
    // A bare 0644 is a number by the time YAML has read it.
    permissions: z.union([z.string(), z.int().transform((mode) => mode.toString(8))]).default("0644"),
    append: z.boolean().default(false),
    defer: z.boolean().default(false),
  })
  .transform(({ content, encoding, ...rest }) => ({ ...rest, content: decode(content, encoding) }));

/** What a server does by these needs the internet, a disk, a clock or a console of its own. */
const IGNORED = new Set([
  "apt",
  "final_message",
  "growpart",
  "locale",
  "no_ssh_fingerprints",
  "ntp",
  "package_reboot_if_required",
  "package_update",
  "package_upgrade",
  "resize_rootfs",
  "ssh",
  "ssh_genkeytypes",
  "ssh_publish_hostkeys",
  "swap",
  "timezone",
]);

const CloudConfig = z.strictObject({
  hostname: z.string().optional(),
  manage_etc_hosts: z.union([z.boolean(), z.literal("localhost")]).optional(),
  preserve_hostname: z.literal(false).optional(),
  disable_root: z.boolean().optional(),
  ssh_pwauth: z.boolean().optional(),
  ssh_deletekeys: z.boolean().default(true),
  /** Host keys: `<type>_private` and `<type>_public`. */
  ssh_keys: z.record(z.string().regex(/^(ed25519|ecdsa|rsa)_(private|public)$/), z.string()).default({}),
  users: z.array(User).default([]),
  /** Run at every boot. */
  bootcmd: z.array(Command).default([]),
  /** Not installed: whatever this machine lacks of them is not there. */
  packages: z.array(z.string()).default([]),
  write_files: z.array(File).default([]),
  mounts: z.array(z.array(Text).min(2).max(6)).default([]),
  runcmd: z.array(Command).default([]),
});

export type CloudConfig = z.output<typeof CloudConfig>;

/** Reads user data. Refuses every key that the stand-in server would not act on, so that none is thought tested that is not. */
export function readCloudConfig(userData: string): CloudConfig {
  if (userData === "") return CloudConfig.parse({});
  // cloud-init takes anything else for a script or for nothing at all.
  if (!/^#cloud-config\s*\n/.test(userData)) throw new Error(`user data starts with ${JSON.stringify(userData.split("\n")[0])}; line 1 must be #cloud-config`);
  // The version that cloud-init's own reader speaks.
  const all = z.record(z.string(), z.unknown()).parse(parse(userData, { version: "1.1" }));
  const result = CloudConfig.safeParse(Object.fromEntries(Object.entries(all).filter(([key]) => !IGNORED.has(key))));
  if (result.success) return result.data;
  throw new Error(`the stand-in server cannot act on this user data:\n${z.prettifyError(result.error)}`);
}

function decode(content: string, encoding: string): Buffer {
  if (encoding === "text/plain") return Buffer.from(content);
  const bytes = Buffer.from(content, "base64");
  return encoding.startsWith("gz") ? gunzipSync(bytes) : bytes;
}
