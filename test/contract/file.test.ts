import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { fileStreamSink } from "#connectors/file/sink";
import { fileStreamSource } from "#connectors/file/source";
import { lineSink } from "./line-sink.ts";
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
  sinkContract(
    fileStreamSink,
    lineSink((file) => ({ name: "contract", file })),
  );
});
