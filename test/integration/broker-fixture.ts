/** A broker on a free port and a folder of its own, and what its tests say to it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningBroker, startBroker } from "#broker/broker";
import { createTopics, fetch, type FetchResponse, produce, type ProduceResponse } from "#broker/protocol/messages/index";
import { BatchBuilder } from "#broker/protocol/records/builder";
import { batches } from "#broker/protocol/records/batch";
import { readRecords } from "#broker/protocol/records/records";
import { WireClient } from "../wire/wire-client.ts";

export interface TestBroker {
  readonly folder: string;
  broker: RunningBroker;
  client: WireClient;
  /** Cleanly, on the same folder. */
  restart(properties?: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
}
export const propertiesFor = (folder: string): Record<string, string> => ({
  "node.id": "1",
  "process.roles": "broker,controller",
  listeners: "PLAINTEXT://127.0.0.1:0",
  "log.dirs": folder,
  "group.initial.rebalance.delay.ms": "0",
  "offsets.topic.num.partitions": "2",
  "transaction.state.log.num.partitions": "2",
});
export async function startTestBroker(properties: Readonly<Record<string, string>> = {}): Promise<TestBroker> {
  const folder = mkdtempSync(join(tmpdir(), "broker-"));
  const start = (more: Readonly<Record<string, string>>): Promise<RunningBroker> =>
    startBroker({ ...propertiesFor(folder), ...properties, ...more });
  const broker = await start({});
  const running: TestBroker = {
    folder,
    broker,
    client: await WireClient.open(broker.port),
    async restart(more = {}) {
      running.client.close();
      await running.broker.close();
      running.broker = await start(more);
      running.client = await WireClient.open(running.broker.port);
    },
    async stop() {
      running.client.close();
      await running.broker.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return running;
}
export async function makeTopic(
  client: WireClient,
  name: string,
  numPartitions = 1,
  configs: Readonly<Record<string, string>> = {},
): Promise<string> {
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
  const { topics } = await client.send(createTopics, 7, {
    topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: entries }],
    timeoutMs: 1000,
  });
  if (topics[0]?.errorCode !== 0) throw new Error(`could not make ${name}: ${topics[0]?.errorMessage}`);
  return topics[0].topicId;
}
export function batchOf(values: readonly string[], key: string | null = null): Buffer {
  const builder = new BatchBuilder({});
  for (const value of values) builder.append(Date.now(), key === null ? null : Buffer.from(key), Buffer.from(value), []);
  return builder.build("none");
}
export async function put(
  client: WireClient,
  topic: string,
  records: Buffer,
  acks = -1,
  partition = 0,
): Promise<ProduceResponse["responses"][number]["partitionResponses"][number]> {
  const { responses } = await client.send(produce, 9, {
    acks,
    timeoutMs: 1000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
  });
  const answer = responses[0]?.partitionResponses[0];
  if (answer === undefined) throw new Error("no answer for the partition");
  return answer;
}
type Fetched = FetchResponse["responses"][number]["partitions"][number];
export async function get(client: WireClient, topic: string, offset: number, maxWaitMs = 0, partition = 0): Promise<Fetched> {
  const { responses } = await client.send(fetch, 11, {
    maxWaitMs,
    minBytes: 1,
    maxBytes: 1 << 20,
    sessionEpoch: -1,
    topics: [{ topic, partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: 1 << 20 }] }],
  });
  const answer = responses[0]?.partitions[0];
  if (answer === undefined) throw new Error("no answer for the partition");
  return answer;
}
export function valuesOf(fetched: Fetched | undefined): string[] {
  const bytes = Buffer.from(fetched?.records ?? []);
  const values: string[] = [];
  for (const { header, start } of batches(bytes))
    for (const { value } of readRecords(bytes, start, header)) values.push(Buffer.from(value ?? []).toString());
  return values;
}
