import type { Item, Records } from "../world.ts";
import { refusal } from "./errors.ts";
import { findItem, getItem, itemsOf } from "./items.ts";
import type { Effect } from "./machines.ts";
import { IMAGES, LOCATIONS, type OfferedType, readOffers } from "./offers.ts";
import { powerCycle } from "./power.ts";

/** What of a server is ordered. */
export interface Order {
  name: string;
  serverType: string;
  image: string;
  location: string;
  userData?: string | undefined;
  sshKeys?: string[] | undefined;
}

/** The API takes no more. */
const USER_DATA_BYTES = 32 * 1024;
/** Servers in one placement group. */
const SPREAD = 10;
/** RFC 1123. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** Refuses an order as the provider and the API do, in their order; else the type that was ordered. */
export function refuseBadOrder(records: Records, world: string, { name, serverType, image, location, userData = "", sshKeys = [] }: Order): OfferedType {
  const type = findType(world, serverType);
  if (!(IMAGES[image] ?? []).includes(type.architecture)) throw new Error(`image ${image} for architecture ${type.architecture} not found`);
  for (const key of sshKeys) {
    const isKnown = findItem(records, "SshKey", key) !== undefined || itemsOf(records, "SshKey").some(([, each]) => each.name === key);
    if (!isKnown) throw new Error(`SSH key not found: ${key}`);
  }
  if (!HOST_NAME.test(name)) throw refusal("invalid_input", "invalid input in field 'name': [name => [must be a valid hostname]]");
  if (Buffer.byteLength(userData) > USER_DATA_BYTES)
    throw refusal("invalid_input", `invalid input in field 'user_data': [user_data => [must be no more than ${USER_DATA_BYTES} bytes]]`);
  refuseUnsold(type, location);
  return type;
}

/** Another type for a server that exists: it goes off, and on again. */
export function changeType(records: Records, world: string, server: Item, { serverType, location, keepDisk }: Order & { keepDisk: boolean }): Effect[] {
  const type = findType(world, serverType);
  const disk = Number(server.outputs["primaryDiskSize"]);
  if (!(IMAGES[String(server.inputs["image"])] ?? []).includes(type.architecture)) throw refusal("invalid_server_type", "server type has another architecture");
  if (type.disk < disk) throw refusal("invalid_server_type", `server type has a disk of ${type.disk} GB, the server one of ${disk} GB`);
  refuseUnsold(type, location);
  if (!keepDisk) server.outputs["primaryDiskSize"] = type.disk;
  return powerCycle(records, server);
}

/** Puts a server into a placement group, where it is in one. */
export function joinGroup(records: Records, group: number | undefined, server: number): void {
  if (group === undefined) return;
  getItem(records, "PlacementGroup", group);
  const others = itemsOf(records, "Server").filter(([id, { inputs }]) => id !== server && inputs["placementGroupId"] === group);
  if (others.length >= SPREAD) throw refusal("placement_error", "an error during the placement occurred");
}

function findType(world: string, name: string): OfferedType {
  const type = readOffers(world).find((each) => each.name === name);
  if (type === undefined) throw new Error(`server type ${name} not found`);
  return type;
}

function refuseUnsold({ locations }: OfferedType, location: string): void {
  if (!Object.hasOwn(LOCATIONS, location)) throw refusal("invalid_input", `invalid input in field 'location': [location => [unknown location "${location}"]]`);
  const place = locations.find(({ name }) => name === location);
  if (place === undefined) throw refusal("invalid_input", "unsupported location for server type");
  if (!place.available) throw refusal("resource_unavailable", "error during placement");
}
