import { readJson } from "../world.ts";

/** A server type as the API sells it. Written in `offers.json` of a world, a list of them takes the place of the one below. */
export interface OfferedType {
  name: string;
  cores: number;
  /** GB. */
  memory: number;
  /** GB. */
  disk: number;
  architecture: "x86" | "arm";
  isDeprecated: boolean;
  locations: { name: string; available: boolean; recommended: boolean; isDeprecated: boolean }[];
}

export const LOCATIONS: Readonly<Record<string, { id: number; networkZone: string }>> = {
  fsn1: { id: 1, networkZone: "eu-central" },
  nbg1: { id: 2, networkZone: "eu-central" },
  hel1: { id: 3, networkZone: "eu-central" },
  ash: { id: 4, networkZone: "us-east" },
  hil: { id: 5, networkZone: "us-west" },
  sin: { id: 6, networkZone: "ap-southeast" },
};

/** System images, by the architectures they exist for. */
export const IMAGES: Readonly<Record<string, readonly OfferedType["architecture"][]>> = {
  "debian-12": ["x86", "arm"],
  "debian-13": ["x86", "arm"],
  "docker-ce": ["x86", "arm"],
  "ubuntu-22.04": ["x86", "arm"],
  "ubuntu-24.04": ["x86", "arm"],
  "centos-stream-9": ["x86"],
};

const EUROPE = ["fsn1", "nbg1", "hel1"];
const EVERYWHERE = Object.keys(LOCATIONS);

const OFFERS: readonly OfferedType[] = [
  offer("cx22", 2, 4, 40, [], { isDeprecated: true }),
  offer("cx23", 2, 4, 40, EUROPE),
  offer("cx33", 4, 8, 80, EUROPE),
  offer("cx43", 8, 16, 160, EUROPE),
  offer("cx53", 16, 32, 320, EUROPE),
  offer("cax11", 2, 4, 40, EUROPE, { architecture: "arm" }),
  offer("cax21", 4, 8, 80, EUROPE, { architecture: "arm" }),
  offer("cax31", 8, 16, 160, EUROPE, { architecture: "arm" }),
  offer("cax41", 16, 32, 320, EUROPE, { architecture: "arm" }),
  offer("cpx12", 1, 2, 40, ["fsn1", "nbg1", "hel1", "sin"]),
  offer("cpx22", 2, 4, 80, ["fsn1", "nbg1", "hel1", "sin"]),
  offer("cpx32", 4, 8, 160, ["fsn1", "nbg1", "hel1", "sin"]),
  offer("cpx42", 8, 16, 320, ["fsn1", "nbg1", "hel1", "sin"]),
  offer("ccx13", 2, 8, 80, EVERYWHERE),
  offer("ccx23", 4, 16, 160, EVERYWHERE),
  offer("ccx33", 8, 32, 240, EVERYWHERE),
];

/** What is sold in a world. */
export function readOffers(world: string): readonly OfferedType[] {
  return readJson(world, "offers.json", OFFERS);
}

function offer(name: string, cores: number, memory: number, disk: number, sold: readonly string[], more: Partial<OfferedType> = {}): OfferedType {
  const locations = sold.map((location) => ({ name: location, available: true, recommended: true, isDeprecated: false }));
  return { name, cores, memory, disk, architecture: "x86", isDeprecated: false, locations, ...more };
}
