/** The harness of sinks that write each value as a line of a file. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskConfig } from "#connect/api/connector";
import { STRING } from "#connect/api/schema";
import type { SinkHarness } from "./sink-contract.ts";

/** `configOf`: the sink's settings for this file. */
export function lineSink(configOf: (file: string) => TaskConfig): SinkHarness {
  let folder = "";
  return {
    async setUp() {
      folder = await mkdtemp(join(tmpdir(), "lines-"));
      return configOf(join(folder, "out"));
    },
    record: (n) => ({
      topic: "contract",
      partition: 0,
      keySchema: null,
      key: null,
      valueSchema: STRING,
      value: `value ${n}`,
      timestamp: null,
      headers: [],
      offset: n,
      timestampType: "NO_TIMESTAMP_TYPE",
      originalTopic: "contract",
      originalPartition: 0,
      originalOffset: n,
    }),
    async content() {
      const text = await readFile(join(folder, "out"), "utf8");
      return text === "" ? [] : text.trimEnd().split("\n");
    },
    expected: (n) => `value ${n}`,
    idempotent: false,
    tearDown: () => rm(folder, { recursive: true }),
  };
}
