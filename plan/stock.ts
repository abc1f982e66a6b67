import { conjoin } from "../lib/prose.ts";
import { describeType, findServerType } from "./server-types.ts";

/** One server type as Hetzner's API lists it. */
export interface Offer {
  name: string;
  cores: number;
  /** MiB on the price list. */
  memoryMb: number;
  architecture: "x86" | "arm";
  isDeprecated: boolean;
  /** Where the type is sold at all; `available`: also right now. */
  locations: readonly { name: string; available: boolean; isDeprecated: boolean }[];
}

/** What is about to be ordered: a host that does not exist yet, is rebuilt, or changes its type. */
export interface Order {
  host: string;
  serverType: string;
  location: string;
}

/** How many other types a line names. */
const ALTERNATIVES = 3;

/**
 * One line per order that Hetzner would refuse, with the ways out. A type it withdraws can be ordered until it is gone, and a host must be rebuilt
 * until then, so deprecation alone refuses nothing; it is never proposed either.
 */
export function findStockMistakes(orders: readonly Order[], offers: readonly Offer[]): string[] {
  const locations = [...new Set(offers.flatMap((offer) => offer.locations.map(({ name }) => name)))].toSorted();
  return orders.flatMap(({ host, serverType, location }) => {
    if (!locations.includes(location)) return [`host "${host}", field location "${location}": Hetzner has no such location; there are ${conjoin(locations)}`];
    const offer = offers.find(({ name }) => name === serverType);
    const reason = findReason(offer, location);
    if (reason === undefined) return [];
    return [`host "${host}", field serverType "${serverType}": ${[reason, ...tellWaysOut(serverType, offer, location, offers)].join("; ")}`];
  });
}

/** Why Hetzner would refuse the type in a location. Absent: it would not. */
function findReason(offer: Offer | undefined, location: string): string | undefined {
  if (offer === undefined) return "Hetzner has no such type";
  const place = offer.locations.find(({ name }) => name === location);
  if (place?.available === true) return undefined;
  if (offer.isDeprecated) return "Hetzner has withdrawn it";
  if (place === undefined) return `Hetzner does not sell it in ${location}`;
  if (place.isDeprecated) return `Hetzner has withdrawn it from ${location}`;
  return `it is sold out in ${location}`;
}

function tellWaysOut(serverType: string, offer: Offer | undefined, location: string, offers: readonly Offer[]): string[] {
  const elsewhere = offer?.locations.filter(({ available }) => available).map(({ name }) => name) ?? [];
  return [
    ...(elsewhere.length > 0 ? [`it is sold in ${conjoin(elsewhere.toSorted())}`] : []),
    tellAlternatives(offer ?? findServerType(serverType), location, offers),
  ];
}

/** Types that are sold there and can replace one. Nothing known about that one: the names of all that are sold there. */
function tellAlternatives(need: Pick<Offer, "cores" | "memoryMb" | "architecture"> | undefined, location: string, offers: readonly Offer[]): string {
  const sold = offers
    .filter(({ isDeprecated, locations }) => !isDeprecated && locations.some((place) => place.name === location && place.available && !place.isDeprecated))
    .toSorted(byPrice);
  if (need === undefined) return `${location} has ${conjoin(sold.map(({ name }) => name)) || "nothing now"}`;
  // An image is built for one architecture.
  const fitting = sold.filter(({ architecture, memoryMb, cores }) => architecture === need.architecture && memoryMb >= need.memoryMb && cores >= need.cores);
  if (fitting.length === 0) return `${location} has nothing of its architecture and size now`;
  return `${location} has ${conjoin(fitting.slice(0, ALTERNATIVES).map((type) => describeType(type, location)))}`;
}

/** Cheapest first, then what the table has no price for, smallest first. */
function byPrice(a: Offer, b: Offer): number {
  const [priceA = Infinity, priceB = Infinity] = [a, b].map(({ name }) => findServerType(name)?.eurPerMonth);
  if (priceA !== priceB) return priceA - priceB;
  return a.memoryMb - b.memoryMb;
}
