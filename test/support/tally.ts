import type { Reporter, TestModule } from "vitest/node";

/** What a run came to. */
interface Count {
  passed: number;
  failed: number;
  skipped: number;
  /** Why tests were skipped, with how many there were of each. */
  reasons: Map<string, number>;
}

/**
 * The last words of every run: what could not run here and why, then the count alone on a line. Where CI is set, a skipped test fails the run:
 * there every level must run.
 */
export class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const { passed, failed, skipped, reasons } = countTests(modules, unhandled.length);
    const isCi = !["", "0", "false"].includes(process.env["CI"] ?? "");
    const lines = [...reasons].toSorted().map(([reason, count]) => `not run: ${reason} (${count} ${count === 1 ? "test" : "tests"})`);
    if (isCi && skipped > 0) {
      lines.push("CI is set, so a test that does not run is a failure");
      process.exitCode = 1;
    }
    process.stdout.write(`${[...lines, `${passed} passed, ${failed} failed, ${skipped} skipped`].join("\n")}\n`);
  }
}

/** Counts tests; whatever broke outside a test counts as one that failed. */
function countTests(modules: readonly TestModule[], unhandled: number): Count {
  const count: Count = { passed: 0, failed: unhandled, skipped: 0, reasons: new Map() };
  for (const testModule of modules) {
    count.failed += testModule.errors().length;
    for (const suite of testModule.children.allSuites()) count.failed += suite.errors().length;
    for (const test of testModule.children.allTests()) {
      const result = test.result();
      if (result.state === "passed") count.passed++;
      else if (result.state === "failed") count.failed++;
      else {
        count.skipped++;
        const note = result.state === "skipped" ? result.note : undefined;
        const reason = `${testModule.project.name}: ${test.meta().missing ?? note ?? `${testModule.relativeModuleId} gives no reason`}`;
        count.reasons.set(reason, (count.reasons.get(reason) ?? 0) + 1);
      }
    }
  }
  return count;
}
