import { z } from "zod";

import type { CloudProject } from "../support/cloud-project.ts";

export type Api = "hcloud" | "cloudflare";

/** A thing in an account: its type, name and id. */
export type Thing = [type: string, name: string, id: string];

const State = z.object({
  deployment: z.object({
    resources: z.array(z.object({ type: z.string(), id: z.string().optional(), inputs: z.object({ name: z.string().optional() }).optional() })),
  }),
});

/** Types that an account lists as things of their own, with a name. */
const LISTED = ["Server", "Volume", "PrimaryIp", "Firewall", "SshKey", "DnsRecord"];

/** Everything with a name that the accounts hold, or one of them, sorted. */
export function accountsOf(project: CloudProject, apis: readonly Api[] = ["hcloud", "cloudflare"]): Thing[] {
  const all = apis.flatMap((api) => Object.entries(project.records(api).items));
  return all
    .filter(([, { type }]) => LISTED.includes(type))
    .map(([id, { type, name }]): Thing => [type, name, id])
    .toSorted(byText);
}

/** The same, as the state has it. */
export async function recordedOf(project: CloudProject): Promise<Thing[]> {
  const { resources } = State.parse(JSON.parse(await project.exportState())).deployment;
  return resources
    .map(({ type, id = "", inputs }): Thing => [/^(?:hcloud|cloudflare):.*:(\w+)$/.exec(type)?.[1] ?? "", inputs?.name ?? "", id])
    .filter(([type]) => LISTED.includes(type))
    .toSorted(byText);
}

function byText(a: Thing, b: Thing): number {
  return a.join(" ") < b.join(" ") ? -1 : 1;
}
