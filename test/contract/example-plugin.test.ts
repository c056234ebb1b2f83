/** The package of docs/plugins.md keeps the contracts. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { INT64, STRING } from "#connect/api/schema";
import { base64Converter, folderSource, linesSink, stamp } from "../../examples/plugin/index.ts";
import { converterContract } from "./converter-contract.ts";
import { lineSink } from "./line-sink.ts";
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
  sinkContract(
    linesSink,
    lineSink((path) => ({ name: "contract", path })),
  );
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
