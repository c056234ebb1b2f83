/** A connector's dead-letter queue: looking at it, and sending records back, mended or as they are. */
import type { Admin, ClientConfig, ConsumedRecord, KafkaClients, RecordHeader, TopicPartition } from "#broker/client/types";
import { badRequest, notFound } from "../herder/errors.ts";
import { adminConfig, dlqProducerConfig } from "../worker/client-config.ts";
import type { ConfigMap } from "../worker/types.ts";
import { shownBytes } from "./shown-record.ts";
import { readPartitions } from "./topic-peek.ts";

const PREFIX = "__connect.errors.";
const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 1_000;
const REPLAY_MAX = 10_000;

export interface DeadLetterContext {
  readonly clients: KafkaClients;
  readonly worker: ConfigMap;
  readonly name: string;
  /** References resolved. */
  readonly config: ConfigMap;
  readonly consumer: ClientConfig;
}
export interface BrowseRequest {
  readonly limit: number | null;
  readonly partition: number | null;
  readonly from: number | null;
}
export interface ReplayRequest {
  readonly records:
    | readonly { readonly partition: number; readonly offset: number; readonly key?: string | null; readonly value?: string | null }[]
    | null;
  readonly topic: string | null;
}
export interface DeadLetterPage {
  readonly topic: string;
  /** Records that the queue holds. */
  readonly depth: number;
  readonly oldest_ms: number | null;
  readonly records: readonly object[];
}

function topicOf(config: ConfigMap, name: string): string {
  const topic = (config["errors.deadletterqueue.topic.name"] ?? "").trim();
  if (topic === "") throw notFound(`Connector ${name} has no dead-letter queue (errors.deadletterqueue.topic.name)`);
  return topic;
}
async function partitionsOf(admin: Admin, topic: string): Promise<readonly TopicPartition[]> {
  const found = (await admin.describeTopics([topic])).get(topic);
  return (found?.partitions ?? []).map((p) => ({ topic, partition: p.partition }));
}
async function depthOf(admin: Admin, partitions: readonly TopicPartition[]): Promise<number> {
  if (partitions.length === 0) return 0;
  const [starts, ends] = await Promise.all([admin.beginningOffsets(partitions), admin.endOffsets(partitions)]);
  return ends.reduce((sum, end, i) => sum + Math.max(0, end - (starts[i] ?? 0)), 0);
}
async function withAdmin<T>(context: DeadLetterContext, run: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = await context.clients.admin(adminConfig(context.worker, context.config, `${context.name}-dlq`));
  try {
    return await run(admin);
  } finally {
    await admin.close();
  }
}

export async function browseDeadLetters(context: DeadLetterContext, request: BrowseRequest): Promise<DeadLetterPage> {
  const topic = topicOf(context.config, context.name);
  const limit = Math.min(LIMIT_MAX, Math.max(1, request.limit ?? LIMIT_DEFAULT));
  const { all, depth } = await withAdmin(context, async (admin) => {
    const found = await partitionsOf(admin, topic);
    return { all: found, depth: await depthOf(admin, found) };
  });
  const wanted = request.partition === null ? all : all.filter((p) => p.partition === request.partition);
  const records = await readPartitions(context.clients, context.consumer, wanted, limit, request.from);
  const oldest = request.from === null && records.length > 0 ? Math.min(...records.map((r) => r.timestamp)) : null;
  return { topic, depth, oldest_ms: oldest, records: records.map(shownDeadLetter) };
}
const isContext = (h: RecordHeader): boolean => h.key.startsWith(PREFIX);
const textOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString());

function shownDeadLetter(record: ConsumedRecord): object {
  const context: Record<string, string | null> = {};
  for (const h of record.headers) if (isContext(h)) context[h.key.slice(PREFIX.length)] = textOf(h.value);
  return {
    partition: record.partition,
    offset: record.offset,
    timestamp: record.timestamp,
    key: shownBytes(record.key),
    value: shownBytes(record.value),
    headers: record.headers.filter((h) => !isContext(h)).map((h) => ({ key: h.key, value: shownBytes(h.value) })),
    /** Empty unless `errors.deadletterqueue.context.headers.enable` is on. */
    error: context,
  };
}
/**
 * Sends records to the topic that their header names (or the given one), without the queue's headers, in the order of the queue.
 * They stay in the queue as well: a topic is not changed. Answers where each one went. Throws RestError.
 */
export async function replayDeadLetters(
  context: DeadLetterContext,
  request: ReplayRequest,
): Promise<{ readonly replayed: number; readonly records: readonly object[] }> {
  const topic = topicOf(context.config, context.name);
  const partitions = await withAdmin(context, (admin) => partitionsOf(admin, topic));
  const records = await chosen(context, partitions, request);
  if (records.length === 0) return { replayed: 0, records: [] };
  const producer = await context.clients.producer(
    dlqProducerConfig(context.worker, context.config, { connector: `${context.name}-replay`, task: 0 }),
  );
  const sent: object[] = [];
  try {
    for (const { record, key, value } of records) {
      const target = request.topic ?? originalTopic(record);
      await producer.partitions(target);
      const headers = record.headers.filter((h) => !isContext(h));
      const at = await producer.send(target, null, key, value, record.timestamp, headers);
      sent.push({ partition: record.partition, offset: record.offset, to: { topic: target, ...at } });
    }
  } finally {
    await producer.close();
  }
  return { replayed: sent.length, records: sent };
}
function originalTopic(record: ConsumedRecord): string {
  const topic = textOf(record.headers.find((h) => h.key === `${PREFIX}topic`)?.value ?? null);
  if (topic !== null && topic !== "") return topic;
  throw badRequest(
    `Record ${record.partition}/${record.offset} does not say which topic it came from (errors.deadletterqueue.context.headers.enable was off); name one in 'topic'`,
  );
}
interface Chosen {
  readonly record: ConsumedRecord;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}
async function chosen(
  context: DeadLetterContext,
  partitions: readonly TopicPartition[],
  request: ReplayRequest,
): Promise<readonly Chosen[]> {
  const { clients, consumer } = context;
  if (request.records === null) {
    const all = await readPartitions(clients, consumer, partitions, REPLAY_MAX, null);
    return all.map((record) => ({ record, key: record.key, value: record.value }));
  }
  const found: Chosen[] = [];
  for (const wanted of request.records) {
    const [record] = await readPartitions(
      clients,
      consumer,
      partitions.filter((p) => p.partition === wanted.partition),
      1,
      wanted.offset,
    );
    if (record === undefined || record.offset !== wanted.offset)
      throw notFound(`The queue has no record ${wanted.partition}/${wanted.offset}`);
    const given = (text: string | null | undefined, recorded: Uint8Array | null): Uint8Array | null =>
      text === undefined ? recorded : text === null ? null : Buffer.from(text);
    found.push({ record, key: given(wanted.key, record.key), value: given(wanted.value, record.value) });
  }
  return found;
}
