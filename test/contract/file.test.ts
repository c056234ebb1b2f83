import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { STRING } from "#connect/api/schema";
import { fileStreamSink } from "#connectors/file/sink";
import { fileStreamSource } from "#connectors/file/source";
import { sinkContract } from "./sink-contract.ts";
import { sourceContract } from "./source-contract.ts";

const lines = (from: number, count: number): string => Array.from({ length: count }, (_, i) => `line ${from + i}\n`).join("");

describe("the file source", () => {
  let folder = "";
  let made = 0;
  sourceContract(fileStreamSource, {
    async setUp(count) {
      folder = await mkdtemp(join(tmpdir(), "file-source-"));
      made = count;
      await writeFile(join(folder, "in"), lines(0, count));
      return { name: "contract", file: join(folder, "in"), topic: "t" };
    },
    async change(count) {
      await appendFile(join(folder, "in"), lines(made, count));
      made += count;
    },
    tearDown: () => rm(folder, { recursive: true }),
    identity: (record) => String(record.value as string),
  });
});

describe("the file sink", () => {
  let folder = "";
  sinkContract(fileStreamSink, {
    async setUp() {
      folder = await mkdtemp(join(tmpdir(), "file-sink-"));
      return { name: "contract", file: join(folder, "out") };
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
  });
});
