import { readFileSync } from "node:fs";

import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

import type { FlatResource } from "./fleet-state.ts";

/**
 * The program that the real one is held against: the same resources under the same names with the same inputs, read from a list, and nothing
 * around them. No parsing, no plan, no templates, no outputs that wait for each other.
 */
const list = JSON.parse(readFileSync("resources.json", "utf8")) as FlatResource[];

type Make = new (name: string, args: object, opts: pulumi.CustomResourceOptions) => pulumi.Resource;
const TYPES: Readonly<Record<string, Make>> = {
  "docker:index/container:Container": docker.Container as Make,
  "docker:index/network:Network": docker.Network as Make,
  "docker:index/remoteImage:RemoteImage": docker.RemoteImage as Make,
  "docker:index/volume:Volume": docker.Volume as Make,
  "pulumi:providers:docker": docker.Provider as Make,
  "random:index/randomPassword:RandomPassword": random.RandomPassword as Make,
  "random:index/randomUuid:RandomUuid": random.RandomUuid as Make,
};

const made = new Map<string, pulumi.Resource>();
for (const { urn, type, name, parent, provider, inputs, secretInputs, options, isComponent } of list) {
  const opts: pulumi.CustomResourceOptions = {
    ...options,
    ...(parent === undefined ? {} : { parent: known(parent) }),
    ...(provider === undefined ? {} : { provider: known(provider) as pulumi.ProviderResource }),
  };
  if (isComponent) {
    made.set(urn, new pulumi.ComponentResource(type, name, {}, opts));
    continue;
  }
  const Type = TYPES[type];
  if (Type === undefined) throw new Error(`${urn} is of a type that this program does not make`);
  const secrets = Object.fromEntries(Object.entries(secretInputs).map(([key, value]) => [key, pulumi.secret(value)]));
  made.set(urn, new Type(name, { ...inputs, ...secrets }, opts));
}

function known(urn: string): pulumi.Resource {
  const resource = made.get(urn);
  if (resource === undefined) throw new Error(`${urn} is needed before it is made`);
  return resource;
}
