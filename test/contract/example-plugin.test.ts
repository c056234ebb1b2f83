/** The package of docs/plugins.md keeps the contracts. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { INT64, STRING } from "#connect/api/schema";
import { base64Converter, folderSource, linesSink, stamp } from "../../examples/plugin/index.ts";
import { converterContract } from "./converter-contract.ts";
import { sinkContract } from "./sink-contract.ts";
import { sourceContract } from "./source-contract.ts";
import { transformContract } from "./transform-contract.ts";

describe("the example's source", () => {
  let folder = "";
  let made = 0;
  const make = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await writeFile(join(folder, String(++made).padStart(6, "0")), `file ${made}`);
  };
  sourceContract(folderSource, {
    async setUp(count) {
      folder = await mkdtemp(join(tmpdir(), "folder-source-"));
      made = 0;
      await make(count);
      return { name: "contract", topic: "files", folder };
    },
    change: make,
    tearDown: () => rm(folder, { recursive: true }),
    identity: (record) => String(record.key as string),
  });
});
describe("the example's sink", () => {
  let folder = "";
  sinkContract(linesSink, {
    async setUp() {
      folder = await mkdtemp(join(tmpdir(), "lines-"));
      return { name: "contract", path: join(folder, "out") };
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
describe("the example's transform", () => {
  transformContract(stamp, {
    className: "com.acme.Stamp",
    config: { header: "made-by" },
    record: {
      topic: "t",
      partition: null,
      keySchema: INT64,
      key: 1n,
      valueSchema: STRING,
      value: "v",
      timestamp: 5,
      headers: [{ key: "a", schema: STRING, value: "b" }],
      sourcePartition: { p: 1 },
      sourceOffset: { o: 2 },
    },
  });
});
describe("the example's converter", () => {
  converterContract(base64Converter, {
    config: {},
    values: ["", "text", "žluťoučký"].map((value) => ({ schema: STRING, value })),
    foreign: { schema: INT64, value: 1n },
  });
});
