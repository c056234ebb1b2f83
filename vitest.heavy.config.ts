import { defineConfig } from "vitest/config";

/** Real kills and real peers, with the time they need: two files at a time, as most of that is waiting. Run by .ci/run. */
export default defineConfig({
  test: {
    include: ["test/chaos/**/*.test.ts", "test/compat/**/*.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 180_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
