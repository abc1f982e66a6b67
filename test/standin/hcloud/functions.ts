import { createHash } from "node:crypto";

import * as z from "zod";

import type { Account } from "../account.ts";
import type { Props, Provider } from "../provider.ts";
import type { Item, Records } from "../world.ts";
import { seeFirewall } from "./firewall.ts";
import { itemsOf } from "./items.ts";
import { LOCATIONS, readOffers } from "./offers.ts";
import { seeGroup } from "./placement-group.ts";
import { matchesSelector } from "./selector.ts";

const Args = z.strictObject({
  id: z.string().optional(),
  withSelector: z.string().optional(),
  withStatuses: z.array(z.string()).optional(),
  mostRecent: z.boolean().optional(),
});

type Argument = keyof z.output<typeof Args>;

interface Listing {
  type: string;
  /** The result's own name for what it lists. */
  plural: string;
  takes: readonly Argument[];
  /** Outputs of the kind that an entry shows. */
  shows: readonly string[];
  /** Outputs of it that follow from other items. */
  see?: (records: Records, id: number) => Props;
}

const LISTINGS: readonly Listing[] = [
  {
    type: "Server",
    plural: "servers",
    takes: ["withSelector", "withStatuses"],
    shows: [
      ...["backupWindow", "backups", "deleteProtection", "firewallIds", "image", "ipv4Address", "ipv6Address", "ipv6Network", "iso", "labels", "location"],
      ...["name", "networks", "placementGroupId", "primaryDiskSize", "rebuildProtection", "rescue", "serverType", "status"],
    ],
  },
  {
    type: "Volume",
    plural: "volumes",
    takes: ["withSelector", "withStatuses"],
    shows: ["deleteProtection", "labels", "linuxDevice", "location", "name", "serverId", "size"],
  },
  {
    type: "PrimaryIp",
    plural: "primaryIps",
    takes: ["withSelector", "id"],
    shows: ["assigneeId", "assigneeType", "autoDelete", "deleteProtection", "ipAddress", "ipNetwork", "labels", "location", "name", "type"],
  },
  { type: "Firewall", plural: "firewalls", takes: ["withSelector", "mostRecent"], shows: ["labels", "name", "rules"], see: seeFirewall },
  { type: "SshKey", plural: "sshKeys", takes: ["withSelector", "id"], shows: ["fingerprint", "labels", "name", "publicKey"] },
  { type: "Network", plural: "networks", takes: ["withSelector"], shows: ["deleteProtection", "exposeRoutesToVswitch", "ipRange", "labels", "name"] },
  { type: "PlacementGroup", plural: "placementGroups", takes: ["withSelector", "mostRecent"], shows: ["labels", "name", "type"], see: seeGroup },
];

/** The functions that list what an account has, and what is sold. */
export function functions(account: Account): NonNullable<Provider["functions"]> {
  return Object.fromEntries([
    ...LISTINGS.map((listing) => named(listing.plural, (name) => list(account, name, listing))),
    named("serverTypes", (name) => listOffers(account, name)),
  ]);
}

function named<T>(plural: string, make: (name: string) => T): [string, T] {
  const name = `get${plural.charAt(0).toUpperCase()}${plural.slice(1)}`;
  return [`hcloud:index/${name}:${name}`, make(name)];
}

function list(account: Account, name: string, { type, plural, takes, shows, see }: Listing): (args: Props) => Promise<Props> {
  const schema = Args.pick(Object.fromEntries(takes.map((argument) => [argument, true])) as Record<Argument, true>);
  return (props) => {
    const args: z.output<typeof Args> = schema.parse(props);
    return account.call({ on: "list", type: name, name: "" }, (records) => {
      const found = itemsOf(records, type).filter(([, item]) => {
        const { status = "available" } = item.outputs;
        return matchesSelector(item.labels, args.withSelector) && (args.withStatuses ?? [status]).includes(status);
      });
      return { ...args, id: idOf(found.map(([id]) => id)), [plural]: found.map(([id, item]) => ({ ...entryOf(id, item, shows), ...see?.(records, id) })) };
    });
  };
}

function entryOf(id: number, item: Item, shows: readonly string[]): Props {
  const all: Props = { ...item.inputs, labels: item.labels, ...item.outputs };
  return structuredClone({ id, ...Object.fromEntries(shows.filter((output) => all[output] !== undefined).map((output) => [output, all[output]])) });
}

function listOffers(account: Account, name: string): () => Promise<Props> {
  return () =>
    account.call({ on: "list", type: name, name: "" }, () => {
      const serverTypes = readOffers(account.world).map(({ locations, isDeprecated, ...type }, index) => ({
        ...type,
        id: index + 1,
        description: type.name.toUpperCase(),
        category: type.name.startsWith("ccx") ? "general_purpose" : type.name.startsWith("cpx") ? "regular_purpose" : "cost_optimized",
        cpuType: type.name.startsWith("ccx") ? "dedicated" : "shared",
        storageType: "local",
        includedTraffic: 0,
        ...deprecation(isDeprecated),
        locations: locations.map((place) => ({ ...place, ...deprecation(place.isDeprecated), id: LOCATIONS[place.name]?.id ?? 0 })),
      }));
      const ids = serverTypes.map(({ id }) => id);
      return {
        id: idOf(ids),
        names: serverTypes.map((type) => type.name),
        descriptions: serverTypes.map(({ description }) => description),
        serverTypeIds: ids.map(String),
        serverTypes,
      };
    });
}

function deprecation(isDeprecated: boolean): { isDeprecated: boolean; deprecationAnnounced: string; unavailableAfter: string } {
  const [deprecationAnnounced, unavailableAfter] = isDeprecated ? ["2025-12-01T00:00:00Z", "2099-01-01T00:00:00Z"] : ["", ""];
  return { isDeprecated, deprecationAnnounced, unavailableAfter };
}

/** A list's id says what is in it. */
function idOf(ids: readonly number[]): string {
  return createHash("sha1").update(ids.join("-")).digest("hex");
}
