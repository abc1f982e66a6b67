import { SIZES } from "./limits.ts";
import {
  BACKUP_SHARE,
  monthlyCost,
  PRICED_LOCATIONS,
  PRICES_SEEN,
  PRICES_SINCE,
  SERVER_RESERVE_MB,
  SERVER_TYPES,
  type ServerType,
  usableMemoryMb,
} from "./server-types.ts";

/** GB of the data volume counted for a tenant; the smallest volume Hetzner sells is as large. */
const DATA_GB = 10;

/** A server full of tenants of one size. */
export interface FullServer {
  tenants: number;
  /** Net, a month, each, with backups, IPv4 and 10 GB of volume. */
  eurPerTenant: number;
}

/** How many tenants of this memory a server holds and what each then costs. Absent: not even one fits. */
export function fillServer({ name, memoryMb }: ServerType, tenantMb: number): FullServer | undefined {
  const tenants = Math.floor((usableMemoryMb(memoryMb) - SERVER_RESERVE_MB) / tenantMb);
  if (tenants < 1) return undefined;
  return { tenants, eurPerTenant: monthlyCost({ serverType: name, dataGb: tenants * DATA_GB, backups: true }) / tenants };
}

/** Markdown: what a tenant costs a month on each server type, aligned as Prettier wants it. */
export function renderCostTable(): string {
  const sizes = Object.entries(SIZES).map(([size, { memoryMb }]) => ({ title: `${size} (${memoryMb} MiB)`, memoryMb }));
  const rows = [
    ["type", "cores", "GiB", "server", ...sizes.map(({ title }) => title)],
    ...SERVER_TYPES.map((type) => [
      type.name,
      String(type.cores),
      String(type.memoryMb / 1024),
      type.eurPerMonth.toFixed(2),
      ...sizes.map(({ memoryMb }) => renderShare(fillServer(type, memoryMb))),
    ]),
  ];
  return [
    `EUR a month without VAT in ${PRICED_LOCATIONS.join(", ")}; prices of new orders since ${PRICES_SINCE}, last seen on ${PRICES_SEEN}. "3 × 4.13": three`,
    `tenants fit, and each costs 4.13 with its share of server, backups (${BACKUP_SHARE * 100} %), IPv4 and ${DATA_GB} GB of volume a tenant.`,
    "",
    ...alignTable(rows),
  ].join("\n");
}

function renderShare(share: FullServer | undefined): string {
  return share === undefined ? "none" : `${share.tenants} × ${share.eurPerTenant.toFixed(2)}`;
}

/** The first column to the left, figures to the right. */
function alignTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const [head = "", ...body] = rows.map((cells) => joinCells(cells.map((cell, column) => pad(cell, widths[column] ?? 0, column))));
  return [head, joinCells(widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`))), ...body];
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

function joinCells(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
