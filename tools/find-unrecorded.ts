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

/** A creation that an update had begun and did not live to record. */
export interface PendingCreate {
  urn: string;
  type: string;
  /** What was asked for; secrets are sealed. */
  inputs: Readonly<Record<string, unknown>>;
}

interface Named {
  id?: number | string;
  name: string;
}

/** Lists what carries the stack's label, by type. Sources: the data sources of the provider, one a type. */
const LISTS: Readonly<Record<string, (withSelector: string) => Promise<readonly Named[]>>> = {
  "hcloud:index/firewall:Firewall": async (withSelector) => (await getFirewalls({ withSelector })).firewalls,
  "hcloud:index/network:Network": async (withSelector) => (await getNetworks({ withSelector })).networks,
  "hcloud:index/placementGroup:PlacementGroup": async (withSelector) => (await getPlacementGroups({ withSelector })).placementGroups,
  "hcloud:index/primaryIp:PrimaryIp": async (withSelector) => (await getPrimaryIps({ withSelector })).primaryIps,
  "hcloud:index/server:Server": async (withSelector) => (await getServers({ withSelector })).servers,
  "hcloud:index/sshKey:SshKey": async (withSelector) => (await getSshKeys({ withSelector })).sshKeys,
  "hcloud:index/volume:Volume": async (withSelector) => (await getVolumes({ withSelector })).volumes,
};

/** Looks for what was created all the same, by its label and name. Gives the id to import by URN; what was not created has none. */
export async function findCreated(stack: string, pending: readonly PendingCreate[], env: Readonly<Record<string, string>>): Promise<Map<string, string>> {
  const created = new Map<string, string>();
  await ask(env, async () => {
    for (const { urn, type, inputs } of pending) {
      const id = type === "cloudflare:index/dnsRecord:DnsRecord" ? await findRecord(inputs) : await findLabelled(stack, type, inputs["name"]);
      if (id !== undefined) created.set(urn, id);
    }
  });
  return created;
}

async function findLabelled(stack: string, type: string, name: unknown): Promise<string | undefined> {
  const found = (await LISTS[type]?.(`openclaw-tenants.stack=${stack}`))?.find((each) => each.name === name);
  return found?.id === undefined ? undefined : String(found.id);
}

async function findRecord({ zoneId, name, type, content }: PendingCreate["inputs"]): Promise<string | undefined> {
  if (typeof zoneId !== "string" || typeof name !== "string" || typeof type !== "string") return undefined;
  const { results = [] } = await getDnsRecords({ zoneId, name: { exact: name }, type });
  const found = results.find((each) => each.content === content);
  return found === undefined ? undefined : `${zoneId}/${found.id}`;
}

/** Runs calls to the providers, which only a program of the engine may make: an empty one, previewed in a state of its own. */
async function ask(env: Readonly<Record<string, string>>, questions: () => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-tenants-ask-"));
  try {
    const stack = await LocalWorkspace.createOrSelectStack(
      { stackName: "ask", projectName: "ask", program: questions },
      {
        workDir: folder,
        envVars: { ...env, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "nothing is kept", PULUMI_CONFIG_PASSPHRASE_FILE: "" },
      },
    );
    await stack.preview();
  } finally {
    await rm(folder, { recursive: true });
  }
}
