/**
 * Offsets in a compacted topic, in Kafka Connect's own format: key `["connector",{partition}]`, value the offset as JSON, a
 * null value removes the entry. The topic of an existing cluster can be taken over as it is.
 */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { ClientConfig, ConsumedRecord, KafkaClients } from "#broker/client/types";
import { ConnectError } from "../api/errors.ts";
import type { OffsetStore } from "../worker/types.ts";
import { offsetToJson, parseOffset, parseOffsetKey } from "./offset-json.ts";
import { OffsetTable } from "./offset-table.ts";
import { SkippedRecords } from "./skipped-records.ts";
import { openTopicLog, type TopicLog } from "./topic-log.ts";

export interface TopicOffsetStoreOptions {
  readonly clients: KafkaClients;
  readonly topic: string;
  /** Used when the topic is absent. */
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly topicConfigs?: Readonly<Record<string, string>>;
  /** The setting that names the topic, for messages. */
  readonly setting: string;
  readonly adminConfig: ClientConfig;
  readonly producerConfig: ClientConfig;
  readonly consumerConfig: ClientConfig;
  /** Absent: skipped records are told to the log only. */
  readonly skipped?: SkippedRecords;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An open transaction of a worker that was killed is ended by its successor, or by the broker after `transaction.timeout.ms`. */
const READ_TIMEOUT_MS = 180_000;
const utf8 = new TextDecoder();

function applyRecord(table: OffsetTable, record: ConsumedRecord, skipped: SkippedRecords): void {
  if (record.key === null) return;
  const text = utf8.decode(record.key);
  const key = parseOffsetKey(text);
  const offset = record.value === null ? null : parseOffset(utf8.decode(record.value));
  if (key === null || (record.value !== null && offset === null)) {
    if (record.value !== null) skipped.note(record, "is no offset");
    return;
  }
  table.set(key.connector, key.partition, offset, text);
}

export function topicOffsetStore(options: TopicOffsetStoreOptions): OffsetStore {
  const table = new OffsetTable();
  const skipped = options.skipped ?? new SkippedRecords(options.log);
  let topic: TopicLog | null = null;
  const opened = (): TopicLog => {
    if (topic === null) throw new ConnectError(`Offset topic ${options.topic} is not open`);
    return topic;
  };
  return {
    async start() {
      topic = await openTopicLog({
        clients: options.clients,
        topic: {
          name: options.topic,
          partitions: options.partitions,
          replicationFactor: options.replicationFactor,
          configs: options.topicConfigs ?? {},
        },
        setting: options.setting,
        purpose: "source connector offsets",
        throughOpenTransactions: true,
        adminConfig: options.adminConfig,
        consumerConfig: options.consumerConfig,
        producerConfig: { acks: "all", ...options.producerConfig },
        apply: (record) => applyRecord(table, record, skipped),
        clock: options.clock,
        log: options.log,
      });
    },
    async read(connector, partitions) {
      await opened().readToEnd(READ_TIMEOUT_MS);
      return partitions.map((p) => table.get(connector, p));
    },
    async write(connector, entries) {
      const log = opened();
      await Promise.all(
        entries.map(({ partition, offset }) =>
          log.send(Buffer.from(table.keyOf(connector, partition)), offset === null ? null : Buffer.from(offsetToJson(offset))),
        ),
      );
    },
    async list(connector) {
      await opened().readToEnd();
      return table.list(connector);
    },
    async close() {
      await topic?.close();
      topic = null;
    },
  };
}
