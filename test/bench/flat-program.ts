import { readFileSync } from "node:fs";

import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

import type { FlatResource } from "./flat-resources.ts";

/**
 * The program that the real one is held against: the same resources under the same names with the same inputs, read from a list, and nothing
 * around them. No parsing, no plan, no templates, no outputs that wait for each other.
 */
const list = JSON.parse(readFileSync("resources.json", "utf8")) as FlatResource[];

// Its inputs were checked when they were written; only their type is lost.
type Make = new (name: string, args: never, opts: pulumi.CustomResourceOptions) => pulumi.Resource;
// Those of a cloud are loaded where they are needed: a program without one would not either.
const TYPES: Readonly<Record<string, () => Make | Promise<Make>>> = {
  "cloudflare:index/dnsRecord:DnsRecord": async () => (await import("@pulumi/cloudflare/dnsRecord.js")).DnsRecord,
  "cloudflare:index/originCaCertificate:OriginCaCertificate": async () => (await import("@pulumi/cloudflare/originCaCertificate.js")).OriginCaCertificate,
  "cloudflare:index/zoneSetting:ZoneSetting": async () => (await import("@pulumi/cloudflare/zoneSetting.js")).ZoneSetting,
  "command:remote:Command": async () => (await import("@pulumi/command")).remote.Command,
  "docker:index/container:Container": () => docker.Container,
  "docker:index/network:Network": () => docker.Network,
  "docker:index/remoteImage:RemoteImage": () => docker.RemoteImage,
  "docker:index/volume:Volume": () => docker.Volume,
  "hcloud:index/firewall:Firewall": async () => (await import("@pulumi/hcloud/firewall.js")).Firewall,
  "hcloud:index/primaryIp:PrimaryIp": async () => (await import("@pulumi/hcloud/primaryIp.js")).PrimaryIp,
  "hcloud:index/server:Server": async () => (await import("@pulumi/hcloud/server.js")).Server,
  "hcloud:index/sshKey:SshKey": async () => (await import("@pulumi/hcloud/sshKey.js")).SshKey,
  "hcloud:index/volume:Volume": async () => (await import("@pulumi/hcloud/volume.js")).Volume,
  "hcloud:index/volumeAttachment:VolumeAttachment": async () => (await import("@pulumi/hcloud/volumeAttachment.js")).VolumeAttachment,
  "pulumi:providers:docker": () => docker.Provider,
  "random:index/randomPassword:RandomPassword": () => random.RandomPassword,
  "random:index/randomUuid:RandomUuid": () => random.RandomUuid,
  "tls:index/certRequest:CertRequest": async () => (await import("@pulumi/tls/certRequest.js")).CertRequest,
  "tls:index/privateKey:PrivateKey": async () => (await import("@pulumi/tls/privateKey.js")).PrivateKey,
};

const made = new Map<string, pulumi.Resource>();
for (const { urn, type, name, parent, provider, inputs, secretInputs, options, deletedWith, replaceWith, isComponent } of list) {
  const opts: pulumi.CustomResourceOptions = {
    ...options,
    ...(parent === undefined ? {} : { parent: known(parent) }),
    ...(provider === undefined ? {} : { provider: knownProvider(provider) }),
    ...(deletedWith === undefined ? {} : { deletedWith: known(deletedWith) }),
    ...(replaceWith === undefined ? {} : { replaceWith: replaceWith.map(known) }),
  };
  if (isComponent) {
    made.set(urn, new pulumi.ComponentResource(type, name, {}, opts));
    continue;
  }
  const Type = await TYPES[type]?.();
  if (Type === undefined) throw new Error(`${urn} is of a type that this program does not make`);
  const secrets = Object.fromEntries(Object.entries(secretInputs).map(([key, value]) => [key, pulumi.secret(value)]));
  made.set(urn, new Type(name, { ...inputs, ...secrets } as never, opts));
}

function knownProvider(urn: string): pulumi.ProviderResource {
  const resource = known(urn);
  if (resource instanceof pulumi.ProviderResource) return resource;
  throw new Error(`${urn} is no provider`);
}

function known(urn: string): pulumi.Resource {
  const resource = made.get(urn);
  if (resource === undefined) throw new Error(`${urn} is needed before it is made`);
  return resource;
}
