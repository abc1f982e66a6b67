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
const TYPES: Readonly<Record<string, Make>> = {
  "docker:index/container:Container": docker.Container,
  "docker:index/network:Network": docker.Network,
  "docker:index/remoteImage:RemoteImage": docker.RemoteImage,
  "docker:index/volume:Volume": docker.Volume,
  "pulumi:providers:docker": docker.Provider,
  "random:index/randomPassword:RandomPassword": random.RandomPassword,
  "random:index/randomUuid:RandomUuid": random.RandomUuid,
};

const made = new Map<string, pulumi.Resource>();
for (const { urn, type, name, parent, provider, inputs, secretInputs, options, isComponent } of list) {
  const opts: pulumi.CustomResourceOptions = {
    ...options,
    ...(parent === undefined ? {} : { parent: known(parent) }),
    ...(provider === undefined ? {} : { provider: knownProvider(provider) }),
  };
  if (isComponent) {
    made.set(urn, new pulumi.ComponentResource(type, name, {}, opts));
    continue;
  }
  const Type = TYPES[type];
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
