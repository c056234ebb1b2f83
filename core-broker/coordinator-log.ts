/** The coordinators' logs and markers over this node's partitions. */
import type { Clock } from "./base/clock.ts";
import type { CoordinatorLog, MarkerWriter, MetadataView, ProducerIdentity, StateBatch, StateRecord } from "./coordinator/types.ts";
import { ErrorCode, KafkaError } from "./protocol/errors.ts";
import { BatchBuilder } from "./protocol/records/builder.ts";
import { type BatchSlice, batches, isControl, isTransactional } from "./protocol/records/batch.ts";
import { readRecords } from "./protocol/records/records.ts";
import type { LogManager, Partition } from "./replication/types.ts";

const LOAD_CHUNK_BYTES = 1 << 20;

function leaderPartition(logs: LogManager, topic: string, partition: number): Partition {
  const found = logs.get(topic, partition);
  if (found === undefined) throw new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER, `${topic}-${partition} is not on this broker`);
  return found;
}

/** `create` makes the topic in the cluster's metadata and resolves when its partitions are here; it may find it there already. */
export function coordinatorLog(
  topic: string,
  logs: LogManager,
  metadata: Pick<MetadataView, "partitionCount" | "leaderOf">,
  clock: Clock,
  create: (topic: string) => Promise<void>,
): CoordinatorLog {
  let creation: Promise<void> | null = null;
  return {
    topic,
    partitionCount: () => metadata.partitionCount(topic),
    leaderOf: (partition) => metadata.leaderOf(topic, partition),
    ensureTopic() {
      creation ??= create(topic).finally(() => {
        creation = null;
      });
      return creation;
    },
    async append(partition, records, producer) {
      leaderPartition(logs, topic, partition).append(stateBatch(records, clock.now(), producer), { origin: "coordinator" });
    },
    load: (partition) => load(leaderPartition(logs, topic, partition)),
  };
}

function stateBatch(records: readonly StateRecord[], nowMs: number, producer: ProducerIdentity | undefined): Buffer {
  const builder = new BatchBuilder(
    producer === undefined ? {} : { producerId: producer.producerId, producerEpoch: producer.producerEpoch, transactional: true },
  );
  for (const { key, value } of records) builder.append(nowMs, key, value, []);
  return builder.build();
}

async function* load(partition: Partition): AsyncGenerator<StateBatch> {
  let offset = partition.logStartOffset;
  const end = partition.highWatermark;
  while (offset < end) {
    const { records } = await partition.readAsync({
      offset,
      maxBytes: LOAD_CHUNK_BYTES,
      minOneMessage: true,
      isolation: "read_uncommitted",
    });
    const before = offset;
    for (const slice of batches(records)) {
      const next = slice.header.baseOffset + slice.header.lastOffsetDelta + 1;
      // A read may begin with the batch that contains its offset.
      if (next <= offset) continue;
      yield stateOf(records, slice);
      offset = next;
    }
    // Nothing but compacted-away offsets is left.
    if (offset === before) return;
  }
}

function stateOf(bytes: Buffer, { header, start }: BatchSlice): StateBatch {
  const producer = isTransactional(header.attributes) ? { producerId: header.producerId, producerEpoch: header.producerEpoch } : null;
  const views = readRecords(bytes, start, header);
  if (isControl(header.attributes)) {
    // Key of a control record: version int16, type int16 (0 abort, 1 commit).
    const key = views[0]?.key;
    const type = key != null && key.length >= 4 ? Buffer.from(key).readInt16BE(2) : -1;
    return { producer, marker: type === 1 ? "commit" : type === 0 ? "abort" : null, records: [] };
  }
  const records: StateRecord[] = [];
  for (const { key, value } of views) if (key !== null) records.push({ key, value });
  return { producer, marker: null, records };
}

export const markerWriter = (logs: LogManager): MarkerWriter => ({
  async write(topic, partition, producer, committed, coordinatorEpoch) {
    leaderPartition(logs, topic, partition).appendEndTransactionMarker({ ...producer, committed, coordinatorEpoch });
  },
});
