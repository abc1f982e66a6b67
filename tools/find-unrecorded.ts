import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getDnsRecords } from "@pulumi/cloudflare/getDnsRecords.js";
import { getFirewalls } from "@pulumi/hcloud/getFirewalls.js";
import { getNetworks } from "@pulumi/hcloud/getNetworks.js";
import { getPlacementGroups } from "@pulumi/hcloud/getPlacementGroups.js";
import { getPrimaryIps } from "@pulumi/hcloud/getPrimaryIps.js";
import { getServers } from "@pulumi/hcloud/getServers.js";
import { getSshKeys } from "@pulumi/hcloud/getSshKeys.js";
import { getVolumes } from "@pulumi/hcloud/getVolumes.js";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";

import { UserError } from "../lib/errors.ts";
import type { Resource } from "./deployment.ts";

interface Named {
  id?: number | string;
  name: string;
}

/** Lists what carries a label, by type. Sources: the data sources of the provider, one a type. */
const LISTS: Readonly<Record<string, (withSelector: string) => Promise<readonly Named[]>>> = {
  "hcloud:index/firewall:Firewall": async (withSelector) => (await getFirewalls({ withSelector })).firewalls,
  "hcloud:index/network:Network": async (withSelector) => (await getNetworks({ withSelector })).networks,
  "hcloud:index/placementGroup:PlacementGroup": async (withSelector) => (await getPlacementGroups({ withSelector })).placementGroups,
  "hcloud:index/primaryIp:PrimaryIp": async (withSelector) => (await getPrimaryIps({ withSelector })).primaryIps,
  "hcloud:index/server:Server": async (withSelector) => (await getServers({ withSelector })).servers,
  "hcloud:index/volume:Volume": async (withSelector) => (await getVolumes({ withSelector })).volumes,
};

/** How what has no label is found again, by type. */
const FINDERS: Readonly<Record<string, (inputs: unknown) => Promise<string | undefined>>> = {
  // An account takes a key once, under whatever name.
  "hcloud:index/sshKey:SshKey": async (inputs) => {
    const { publicKey } = z.object({ publicKey: z.string() }).parse(inputs);
    return idOf((await getSshKeys({})).sshKeys.find((each) => withoutComment(each.publicKey) === withoutComment(publicKey)));
  },
  "hcloud:index/volumeAttachment:VolumeAttachment": async (inputs) => {
    const { volumeId, serverId } = z.object({ volumeId: z.number(), serverId: z.number() }).parse(inputs);
    // The attachment goes by its volume's id.
    return idOf((await getVolumes({})).volumes.find((each) => each.id === volumeId && each.serverId === serverId));
  },
  "cloudflare:index/dnsRecord:DnsRecord": async (inputs) => {
    const { zoneId, name, type, content, comment } = DnsRecord.parse(inputs);
    const { results } = await getDnsRecords({ zoneId, name: { exact: name }, type });
    return results.find((each) => each.content === content && each.comment === comment)?.id;
  },
};

const DnsRecord = z.object({ zoneId: z.string(), name: z.string(), type: z.string(), content: z.string(), comment: z.string() });

/** Types of which something may have been created that a state does not show. */
export const FINDABLE: readonly string[] = [...Object.keys(LISTS), ...Object.keys(FINDERS)];

/** Looks in the accounts for what a stack is about to create, by its label and name. Gives ids by URN; what is not there has none. */
export async function findCreated(stack: string, planned: readonly Resource[], env: Readonly<Record<string, string>>): Promise<Map<string, string>> {
  const find = async ({ type, inputs }: Resource): Promise<string | undefined> =>
    FINDERS[type] === undefined
      ? idOf((await LISTS[type]?.(`openclaw-tenants.stack=${stack}`))?.find(({ name }) => name === inputs?.["name"]))
      : await FINDERS[type](inputs);
  const ids = await ask(env, () => Promise.all(planned.map(async (each) => [each.urn, await find(each)] as const)));
  return new Map(ids.flatMap(([urn, id]): [string, string][] => (id === undefined ? [] : [[urn, id]])));
}

function idOf(found: { id?: number | string } | undefined): string | undefined {
  return found?.id === undefined ? undefined : String(found.id);
}

function withoutComment(publicKey: string): string {
  return publicKey.split(" ", 2).join(" ");
}

/** Runs calls to the providers, which only a program of the engine may make: an empty one, previewed in a state of its own. */
async function ask<T>(env: Readonly<Record<string, string>>, questions: () => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-tenants-ask-"));
  let answer: Promise<T> | undefined;
  let failure: unknown;
  try {
    const stack = await LocalWorkspace.createOrSelectStack(
      { stackName: "ask", projectName: "ask", program: () => (answer = questions()) as Promise<never> },
      {
        workDir: folder,
        envVars: { ...env, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "nothing is kept", PULUMI_CONFIG_PASSPHRASE_FILE: "" },
      },
    );
    // What the questions themselves failed for, it repeats at length.
    await stack.preview().catch((error: unknown) => (failure = error));
    if (answer === undefined) throw failure;
    return await answer;
  } catch (error) {
    throw new UserError(`the accounts were not to be asked: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true });
  }
}
