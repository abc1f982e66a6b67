import { defineConfig } from "vitest/config";

import { Tally } from "./test/support/tally.ts";

const MINUTE = 60_000;

/** Levels that start real things share one Docker: their files run one after another, and after the quick levels. */
const alone = { fileParallelism: false, testTimeout: 10 * MINUTE, hookTimeout: 10 * MINUTE };

export default defineConfig({
  // Nothing is built or served here.
  publicDir: false,
  test: {
    reporters: ["default", new Tally()],
    maxWorkers: "100%",
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
