import { readFileSync } from "node:fs";
import { join } from "node:path";

import { configDefaults, defineConfig } from "vitest/config";

import { Tally } from "./test/support/tally.ts";

const MINUTE = 60_000;

/** Levels that start real things share one Docker: their files run one after another, and after the quick levels. */
const alone = { fileParallelism: false, testTimeout: 10 * MINUTE, hookTimeout: 10 * MINUTE };

/** Whether `prod` is still the example that comes with the program. Where a fleet stands in its place there is no example to test. */
const hasExample = /^ +domain: example\.com$/m.test(readFileSync(join(import.meta.dirname, "Pulumi.prod.yaml"), "utf8"));

export default defineConfig({
  // Nothing is built or served here.
  publicDir: false,
  test: {
    reporters: ["default", new Tally()],
    maxWorkers: "100%",
    exclude: [...configDefaults.exclude, ...(hasExample ? [] : ["**/example.test.ts"])],
    // Node runs the TypeScript itself, as it does in production.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"], sequence: { groupOrder: 0 }, testTimeout: MINUTE, isolate: false } },
      {
        extends: true,
        test: { name: "golden", include: ["test/golden/**/*.test.ts"], sequence: { groupOrder: 1 }, testTimeout: MINUTE, hookTimeout: 10 * MINUTE },
      },
      { extends: true, test: { name: "engine", include: ["test/engine/**/*.test.ts"], sequence: { groupOrder: 2 }, ...alone } },
      { extends: true, test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], sequence: { groupOrder: 3 }, ...alone } },
    ],
  },
});
