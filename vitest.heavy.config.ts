import { defineConfig } from "vitest/config";

/** Real kills and real peers: one at a time, with the time they need. Run by .ci/run. */
export default defineConfig({
  test: {
    include: ["test/chaos/**/*.test.ts", "test/compat/**/*.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 180_000,
    pool: "forks",
    maxWorkers: 1,
    fileParallelism: false,
  },
});
