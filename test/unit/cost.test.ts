import { join } from "node:path";

import fc from "fast-check";
import { check, resolveConfig } from "prettier";
import { describe, expect, it } from "vitest";

import { fillServer, renderCostTable } from "../../plan/cost.ts";
import { findServerType, monthlyCost, SERVER_RESERVE_MB, SERVER_TYPES, usableMemoryMb } from "../../plan/server-types.ts";

function server(name: string): (typeof SERVER_TYPES)[number] {
  const type = findServerType(name);
  if (type === undefined) throw new Error(name);
  return type;
}

describe("a full server", () => {
  it("shares its whole cost among its tenants", () => {
    // 7686 MiB less 2048 hold two of 2048; (35.49 × 1.2 + 0.50 + 20 × 0.0572) / 2.
    expect(fillServer(server("cpx32"), 2048)).toEqual({ tenants: 2, eurPerTenant: 22.115 });
  });

  it("holds no tenant that is larger than what is left beside the system", () => {
    expect(fillServer(server("cpx22"), 2048)).toBeUndefined();
    expect(fillServer(server("cpx12"), 1)).toBeUndefined();
  });

  it("holds as many as fit and not one more, and they pay for all of it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...SERVER_TYPES), fc.integer({ min: 1024, max: 8192 }), (type, tenantMb) => {
        const roomMb = usableMemoryMb(type.memoryMb) - SERVER_RESERVE_MB;
        const { tenants, eurPerTenant } = fillServer(type, tenantMb) ?? { tenants: 0, eurPerTenant: 0 };
        expect(tenants * tenantMb).toBeLessThanOrEqual(Math.max(roomMb, 0));
        expect((tenants + 1) * tenantMb).toBeGreaterThan(roomMb);
        if (tenants > 0) expect(tenants * eurPerTenant).toBeCloseTo(monthlyCost({ serverType: type.name, dataGb: tenants * 10, backups: true }), 6);
      }),
    );
  });
});

describe("the table of costs", () => {
  const lines = renderCostTable().split("\n");

  it("has a row for every type", () => {
    const rows = lines.filter((line) => line.startsWith("| c")).map((line) => line.split("|").map((cell) => cell.trim()));
    expect(rows.map(([, name]) => name)).toEqual(SERVER_TYPES.map(({ name }) => name));
    expect(rows.find(([, name]) => name === "cpx32")).toEqual(["", "cpx32", "4", "8", "35.49", "3 × 14.93", "2 × 22.11", "1 × 43.66", ""]);
    expect(rows.find(([, name]) => name === "cpx12")).toEqual(["", "cpx12", "1", "2", "11.49", "none", "none", "none", ""]);
  });

  it("explains itself with a cell of its own, and says of which day its prices are", () => {
    expect(lines.slice(0, 2).join(" ")).toMatch(/since \d{4}-\d\d-\d\d, last seen on \d{4}-\d\d-\d\d\. "3 × 4\.13": three tenants fit, and each costs 4\.13 /);
    expect(lines.find((line) => line.startsWith("| cx33"))).toContain("3 × 4.13");
  });

  it("stands in the docs as the formatter wants it", async () => {
    const options = await resolveConfig(join(import.meta.dirname, "../../docs/production.md"));
    expect(await check(`${renderCostTable()}\n`, { ...options, parser: "markdown" })).toBe(true);
  });
});
