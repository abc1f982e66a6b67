/** One of Hetzner's cloud servers. */
export interface ServerType {
  /** As the API spells it. */
  name: string;
  cores: number;
  /** MiB on the price list. The system sees less: `usableMemoryMb`. */
  memoryMb: number;
  /** GB of local disk. */
  diskGb: number;
  architecture: "x86" | "arm";
  /** Net, in one of PRICED_LOCATIONS, without the primary IPv4. */
  eurPerMonth: number;
}

/** Where the prices below hold; Hetzner's other locations cost more or sell other types. */
export const PRICED_LOCATIONS: readonly string[] = ["fsn1", "hel1", "nbg1"];

/** Since when new orders cost this; a server ordered earlier keeps its old price until it is rescaled. */
export const PRICES_SINCE = "2026-06-15";

/** When the prices were last seen unchanged. */
export const PRICES_SEEN = "2026-10-02";

/** A volume's GB, net. Not part of the adjustment of June 2026. Source: Hetzner's API, GET /v1/pricing, 2026-05-27. */
const EUR_PER_VOLUME_GB = 0.0572;

/** A primary IPv4, net; IPv6 is free. */
const EUR_PER_IPV4 = 0.5;

/** What backups add to the price of the server alone. They leave volumes out. */
export const BACKUP_SHARE = 0.2;

/** MiB that a server keeps for the system, Docker and Caddy. */
export const SERVER_RESERVE_MB = 2048;

/**
 * What Hetzner sells in the EU, net. Source: its price adjustment of 15 June 2026
 * (docs.hetzner.com/general/infrastructure-and-availability/price-adjustment), after copies that agree to the cent: mixxor/eu-cloud-prices of
 * 2026-08-17 and robhunter/agentdeals of 2026-10-02; cores, memory and disk after the API's list of 2026-07-13. Hetzner's console shows the price
 * of the day. A price says nothing about stock: from late July to September 2026 cx and cax were sold out wherever one looked.
 */
export const SERVER_TYPES: readonly ServerType[] = [
  row("cx23", 2, 4, 40, 5.49),
  row("cx33", 4, 8, 80, 8.49),
  row("cx43", 8, 16, 160, 15.99),
  row("cx53", 16, 32, 320, 29.49),
  row("cax11", 2, 4, 40, 5.99),
  row("cax21", 4, 8, 80, 10.49),
  row("cax31", 8, 16, 160, 20.99),
  row("cax41", 16, 32, 320, 40.99),
  row("cpx12", 1, 2, 40, 11.49),
  row("cpx22", 2, 4, 80, 19.49),
  row("cpx32", 4, 8, 160, 35.49),
  row("cpx42", 8, 16, 320, 69.49),
  row("cpx52", 12, 24, 480, 100.49),
  row("cpx62", 16, 32, 640, 129.99),
  row("ccx13", 2, 8, 80, 42.99),
  row("ccx23", 4, 16, 160, 85.99),
  row("ccx33", 8, 32, 240, 138.49),
  row("ccx43", 16, 64, 360, 275.99),
  row("ccx53", 32, 128, 600, 533.49),
  row("ccx63", 48, 192, 960, 853.49),
];

/** The type of this name, in Hetzner's spelling. */
export function findServerType(name: string): ServerType | undefined {
  return SERVER_TYPES.find((type) => type.name === name);
}

/**
 * MiB that a server's system sees of its memory on the price list: a little less than was found, 3814 of 4096 (cpx22, cax11), 7751 of 8192 (cx33),
 * 15.2 of 16 GiB (cax31).
 */
export function usableMemoryMb(memoryMb: number): number {
  return Math.floor(memoryMb * 0.95) - 96;
}

/**
 * Types of an architecture whose system sees at least this memory, at most `count`, cheapest first. The cheapest of each line only: a line sells out
 * as a whole, and its larger types would crowd out the other lines.
 */
export function suggestTypes(need: { memoryMb: number; cores?: number; architecture: "x86" | "arm" }, count = 3): ServerType[] {
  const fitting = SERVER_TYPES.filter(
    ({ memoryMb, cores, architecture }) => architecture === need.architecture && usableMemoryMb(memoryMb) >= need.memoryMb && cores >= (need.cores ?? 0),
  ).toSorted((a, b) => a.eurPerMonth - b.eurPerMonth);
  const lines = Map.groupBy(fitting, ({ name }) => name.replace(/\d+$/, ""));
  return [...lines.values()].flatMap(([cheapest]) => cheapest ?? []).slice(0, count);
}

/** A type in a message, with its price where that is known: `cx43 (16 GiB, 15.99 EUR a month)`. */
export function describeType({ name, memoryMb }: Pick<ServerType, "name" | "memoryMb">, location: string): string {
  const type = PRICED_LOCATIONS.includes(location) ? findServerType(name) : undefined;
  const price = type === undefined ? "" : `, ${type.eurPerMonth.toFixed(2)} EUR a month`;
  return `${name} (${memoryMb / 1024} GiB${price})`;
}

/** Whole cost of a host a month, net, in EUR: server, backups, volume, IPv4. Throws a RangeError for a type that is not in the table. */
export function monthlyCost({ serverType, dataGb, backups }: { serverType: string; dataGb: number; backups: boolean }): number {
  const type = findServerType(serverType);
  if (type === undefined) throw new RangeError(`server type "${serverType}" has no price here; there are ${SERVER_TYPES.map(({ name }) => name).join(", ")}`);
  const server = type.eurPerMonth * (backups ? 1 + BACKUP_SHARE : 1);
  return Math.round((server + EUR_PER_IPV4 + dataGb * EUR_PER_VOLUME_GB) * 100) / 100;
}

function row(name: string, cores: number, memoryGb: number, diskGb: number, eurPerMonth: number): ServerType {
  return { name, cores, memoryMb: memoryGb * 1024, diskGb, architecture: name.startsWith("cax") ? "arm" : "x86", eurPerMonth };
}
