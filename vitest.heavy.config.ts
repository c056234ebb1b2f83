import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take minutes, longest first: begun last, one of them would keep everything waiting at the end. */
const LONG = [
  "group-migration",
  "connect-group",
  "mixed-group",
  "mysql-faults",
  "postgres-kill",
  "postgres-snapshot-kill",
  "pipeline-kill",
  "admin-sweep",
];
const place = ({ moduleId }: TestSpecification): number => {
  const at = LONG.findIndex((name) => moduleId.includes(`/${name}.test.ts`));
  return at === -1 ? LONG.length : at;
};
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

/** Real kills and real peers, with the time they need: two files at a time, as most of that is waiting. Run by .ci/run. */
export default defineConfig({
  test: {
    include: ["test/chaos/**/*.test.ts", "test/compat/**/*.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 180_000,
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
});
