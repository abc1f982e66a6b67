/** One line of the results. */
export interface Row {
  /** What was measured, with its size: "no-op preview, 50 tenants". */
  name: string;
  /** The project's figure with its unit. */
  ours: string;
  /** What it is held against. Absent: a figure that stands alone. */
  against?: string;
  /** Ours divided by the other; below 1 is better. */
  ratio?: number;
  /** The ratio it should stay under. */
  target?: number;
}

/** What one benchmark has to say. */
export interface Result {
  rows: Row[];
  /** What a reader must know to read the rows right: what is counted, what stood in for what, why something was not run. */
  notes: string[];
}

/** What a benchmark may be told. */
export interface BenchOptions {
  /** How often each thing is measured. Default: what the benchmark finds enough. */
  runs?: number | undefined;
  /** Whether it may take half an hour. */
  isLong: boolean;
  /** Tells the one who waits where it is. */
  say: (what: string) => void;
}

const HEAD = ["what", "here", "against", "ratio", "target", "met"];

/** Whether a row keeps its target; absent where it has none. */
export function isMet({ ratio, target }: Row): boolean | undefined {
  return ratio === undefined || target === undefined ? undefined : ratio <= target;
}

/** Rows for a terminal, columns aligned. */
export function renderTable(rows: readonly Row[]): string {
  const lines = [HEAD, ...rows.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}

/** The same as a Markdown table, for docs/benchmarks.md. */
export function renderMarkdown(rows: readonly Row[]): string {
  return [HEAD, HEAD.map(() => "---"), ...rows.map(cells)].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const around = sorted.slice(Math.ceil(half) - 1, Math.floor(half) + 1);
  if (around.length === 0) throw new Error("no values to take the median of");
  return around.reduce((sum, value) => sum + value, 0) / around.length;
}

/** Milliseconds as a reader wants them. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

function cells(row: Row): string[] {
  const met = isMet(row);
  return [
    row.name,
    row.ours,
    row.against ?? "",
    row.ratio?.toFixed(2) ?? "",
    row.target === undefined ? "" : `≤ ${row.target}`,
    met === undefined ? "" : met ? "yes" : "no",
  ];
}
