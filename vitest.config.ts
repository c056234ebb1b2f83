import { defineConfig } from "vitest/config";

/** `npm test`: everything that is done in a few minutes. The long ones have vitest.heavy.config.ts. */
export default defineConfig({
  // What plugins by others import; outside of tests a hook of Node's loader answers.
  resolve: {
    alias: [
      { find: /^millrace\/api$/, replacement: `${import.meta.dirname}/connect-runtime/api/index.ts` },
      { find: /^millrace\/api\/(.+)$/, replacement: `${import.meta.dirname}/connect-runtime/api/$1.ts` },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/chaos/**", "test/compat/**", "test/bench/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
