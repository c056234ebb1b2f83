/**
 * Error handling as recorded from Kafka Connect: each case of connect/dlq with our tasks and plugins, over a cluster in memory.
 * Placeholders: `<any:int>`, `<startsWith:…>`, `<tmp>`.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { converters, headerConverters, transforms } from "#plugins/index";
import { stringHeaderConverter } from "#plugins/converters/string-converter";
import { fileStreamSink } from "#connectors/file/sink";
import { fileStreamSource } from "#connectors/file/source";
import { runSinkTask } from "#connect/worker/sink-task";
import { runSourceTask } from "#connect/worker/source-task";
import { traceOf } from "#connect/worker/trace";
import type { PluginCatalog } from "#connect/worker/types";
import { memoryOffsetStore } from "#connect/store/offset-memory";
import { fakeKafkaClients } from "../fakes/kafka-clients.ts";
import { FakeCluster, type StoredRecord } from "../fakes/kafka-cluster.ts";
import { testHost, until } from "../fakes/task-host.ts";

type Bytes = null | string | { readonly bytes: string };
interface Shown {
  readonly utf8?: string;
  readonly bytes?: string;
}
interface Case {
  readonly case: string;
  readonly connector: { readonly name: string; readonly config: Record<string, string> };
  readonly topicPartitions?: number;
  readonly setup?: readonly { readonly createTopic: { readonly name: string; readonly partitions: number } }[];
  readonly produce?: readonly { readonly key: Bytes; readonly value: Bytes; readonly headers?: readonly [string, string][] }[];
  readonly inputFile?: string;
  readonly expected: {
    readonly status: {
      readonly tasks: readonly { readonly state: string; readonly trace?: { readonly exceptionLines: readonly string[] } }[];
    };
    readonly deadLetterQueue?: {
      readonly topic: string;
      readonly partitions: number;
      readonly records: readonly {
        readonly partition: number;
        readonly key: Shown | null;
        readonly value: Shown | null;
        readonly headers: readonly { readonly key: string; readonly value: Shown }[];
      }[];
    };
    readonly fileContent?: string;
    readonly topicRecords?: readonly { readonly key: Shown | null; readonly value: Shown | null }[];
    readonly offsets: { readonly offsets: readonly { readonly partition: object; readonly offset: object }[] };
    readonly logLines?: readonly string[];
  };
}
const folder = new URL("./connect/dlq/", import.meta.url);
const cases = await Promise.all((await readdir(folder)).map(async (f) => JSON.parse(await readFile(new URL(f, folder), "utf8")) as Case));

const pick = <T extends { readonly classes: readonly string[] }>(list: readonly T[], c: string): T | null =>
  list.find((p) => p.classes.includes(c)) ?? null;
const catalog: PluginCatalog = {
  connector: async (c) => (c.endsWith("SinkConnector") ? fileStreamSink : fileStreamSource),
  transform: async (c) => pick(transforms, c),
  predicate: async () => null,
  converter: async (c) => pick(converters, c),
  headerConverter: async (c) => pick(headerConverters, c) ?? stringHeaderConverter,
  configProvider: async () => null,
};
const workerConfig = {
  "key.converter": "org.apache.kafka.connect.json.JsonConverter",
  "value.converter": "org.apache.kafka.connect.json.JsonConverter",
  "header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
};
const toBytes = (b: Bytes): Buffer | null => (b === null ? null : typeof b === "string" ? Buffer.from(b) : Buffer.from(b.bytes, "base64"));
const shown = (b: Buffer | null): Shown | null => {
  if (b === null) return null;
  return Buffer.from(b.toString("utf8")).equals(b) ? { utf8: b.toString("utf8") } : { bytes: b.toString("base64") };
};
function expectText(actual: string, pattern: string): void {
  const start = /^<startsWith:([^]*)>$/.exec(pattern)?.[1];
  if (start !== undefined) {
    expect(actual.slice(0, start.length)).toBe(start);
    return;
  }
  expect(actual.replaceAll(/column: \d+/g, "column: <any:int>")).toBe(pattern);
}
function expectRecord(actual: StoredRecord | undefined, wanted: NonNullable<Case["expected"]["deadLetterQueue"]>["records"][number]): void {
  expect(shown(actual?.key ?? null)).toEqual(wanted.key);
  expect(shown(actual?.value ?? null)).toEqual(wanted.value);
  expect(actual?.headers.map((h) => h.key)).toEqual(wanted.headers.map((h) => h.key));
  wanted.headers.forEach((h, i) => expectText(Buffer.from(actual?.headers[i]?.value ?? []).toString(), h.value.utf8 ?? ""));
}
/** The first line of each exception: texts of Java's own libraries below it are not ours to repeat. */
const ownLines = (lines: readonly string[]): string[] => lines.filter((l) => /^(Caused by: )?org\.apache\.kafka\.connect\./.test(l));

describe("connect/dlq", () => {
  test.for(cases)("$case", async (golden, { skip }) => {
    const missing = Object.entries(golden.connector.config).filter(
      ([k, v]) => k.startsWith("transforms.") && k.endsWith(".type") && pick(transforms, v) === null,
    );
    skip(missing.length > 0, `there is no ${missing.map(([, v]) => v).join(", ")} yet`);
    const tmp = await mkdtemp(join(tmpdir(), "dlq-"));
    const c = JSON.parse(JSON.stringify(golden).replaceAll("<tmp>", tmp)) as Case;
    const { config } = c.connector;
    const cluster = new FakeCluster();
    const isSink = config["topics"] !== undefined;
    const topic = config["topics"] ?? config["topic"] ?? "";
    if (isSink) cluster.create({ name: topic, partitions: c.topicPartitions ?? 1, replicationFactor: 1 });
    for (const s of c.setup ?? []) cluster.create({ ...s.createTopic, replicationFactor: 1 });
    for (const r of c.produce ?? []) {
      const headers = (r.headers ?? []).map(([key, value]) => ({ key, value: Buffer.from(value) }));
      cluster.append(topic, 0, [{ key: toBytes(r.key), value: toBytes(r.value), timestamp: 1_700_000_000_000, headers }]);
    }
    if (c.inputFile !== undefined) await writeFile(config["file"] ?? "", c.inputFile);
    const store = memoryOffsetStore();
    const host = {
      ...testHost(fakeKafkaClients(cluster), catalog, config, { worker: workerConfig, store }),
      id: { connector: c.connector.name, task: 0 },
    };
    let trace: string | null = null;
    const run = (isSink ? runSinkTask(host) : runSourceTask(host)).catch((error: unknown) => {
      trace = traceOf(error);
    });
    const { status, deadLetterQueue, offsets, fileContent, topicRecords, logLines } = c.expected;
    if (status.tasks[0]?.state === "FAILED") await until(() => trace !== null, "the task has failed");
    else {
      const passed = (): boolean =>
        isSink ? cluster.offsetsOf(`connect-${c.connector.name}`).size > 0 : host.counters.get("total-records-skipped") > 0;
      await until(() => passed() || trace !== null, "the records are passed");
      expect(trace).toBeNull();
      host.end.abort();
    }
    await run;
    if (trace !== null) {
      const lines = String(trace)
        .split("\n")
        .filter((l) => l !== "" && !l.startsWith("\tat"));
      const wanted = ownLines(status.tasks[0]?.trace?.exceptionLines ?? []);
      expect(lines.slice(0, wanted.length)).toEqual(wanted);
    }
    if (fileContent !== undefined) expect(await readFile(config["file"] ?? "", "utf8")).toBe(fileContent);
    if (topicRecords !== undefined) {
      const records = cluster.topics.get(topic)?.partitions.flat() ?? [];
      expect(records.map((r) => ({ key: shown(r.key), value: shown(r.value) }))).toEqual(topicRecords);
    }
    if (deadLetterQueue !== undefined) {
      const queue = cluster.topic(deadLetterQueue.topic);
      expect(queue.partitions).toHaveLength(deadLetterQueue.partitions);
      const all = queue.partitions.flatMap((log, partition) => log.map((record) => ({ partition, record })));
      expect(all.map((r) => r.partition)).toEqual(deadLetterQueue.records.map((r) => r.partition));
      deadLetterQueue.records.forEach((wanted, i) => expectRecord(all[i]?.record, wanted));
    }
    for (const line of logLines ?? [])
      expect(host.lines).toContain(line.replace(/^ERROR \[[^\]]*\] /, "ERROR ").replace(/ \(org\.[^)]*\)$/, ""));
    const committed = isSink
      ? [...cluster.offsetsOf(`connect-${c.connector.name}`).values()].map((o) => ({
          partition: { kafka_partition: o.partition, kafka_topic: o.topic },
          offset: { kafka_offset: o.offset },
        }))
      : await store.list("c");
    expect(committed).toEqual(offsets.offsets);
    await rm(tmp, { recursive: true });
  });
});
