import { parseArgs } from "node:util";

import { machineFacts } from "./machine-facts.ts";
import { benchAddTenant } from "./add-tenant.ts";
import { benchCloudPreview } from "./cloud-preview.ts";
import { benchConnections } from "./connections.ts";
import { benchCost } from "./cost.ts";
import { benchMemory } from "./memory.ts";
import { benchPreview } from "./preview.ts";
import { type BenchOptions, isMet, renderMarkdown, renderTable, type Result } from "./report.ts";
import { benchServer } from "./server.ts";

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<Result>>> = {
  preview: benchPreview,
  add: benchAddTenant,
  memory: benchMemory,
  cost: benchCost,
  server: benchServer,
  connections: benchConnections,
  "cloud-preview": benchCloudPreview,
};
const USAGE = `usage: npm run bench -- [${Object.keys(BENCHES).join(" | ")}]... [--runs <n>] [--long] [--json | --markdown]`;

/** Measures, and says what came out. A missed target is a result, not a failure. */
async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      markdown: { type: "boolean", default: false },
      long: { type: "boolean", default: false },
      runs: { type: "string" },
    },
  });
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
  if (names.some((name) => !Object.hasOwn(BENCHES, name)) || (runs !== undefined && !(Number.isInteger(runs) && runs > 0))) return misuse();

  const facts = await machineFacts();
  const results: Result[] = [];
  for (const name of names) {
    const say = (what: string): void => void process.stderr.write(`${name}: ${what}\n`);
    const result = await BENCHES[name]?.({ runs, isLong: values.long, say });
    if (result !== undefined) results.push(result);
  }
  const [rows, notes] = [results.flatMap((result) => result.rows), results.flatMap((result) => result.notes)];
  if (values.json) process.stdout.write(`${JSON.stringify({ machine: facts, rows: rows.map((row) => ({ ...row, isMet: isMet(row) })), notes }, null, 2)}\n`);
  else if (values.markdown)
    process.stdout.write(`${[facts.map((fact) => `- ${fact}`).join("\n"), renderMarkdown(rows), notes.map((note) => `- ${note}`).join("\n")].join("\n\n")}\n`);
  else process.stdout.write(`${[facts.join("\n"), renderTable(rows), notes.join("\n")].join("\n\n")}\n`);
  return 0;
}

function misuse(): number {
  process.stderr.write(`${USAGE}\n`);
  return 2;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("ERR_PARSE_ARGS_")) return misuse();
  throw error;
});
