/** A batch that the broker finds too large (MESSAGE_TOO_LARGE: the topic's max.message.bytes) is sent in halves. */
import { readBatchHeader } from "../../protocol/records/batch.ts";
import { BatchBuilder } from "../../protocol/records/builder.ts";
import { readRecords } from "../../protocol/records/records.ts";
import { Batch } from "./batch.ts";
import { sequenceAfter } from "./identity.ts";

/**
 * Two batches with the same records in order. They keep the producer's sequences (the first starts where the whole did, the
 * second follows), so that nothing after them has to be renumbered. The whole settles when both have.
 */
export function splitBatch(whole: Batch): Batch[] {
  const bytes = whole.bytes;
  const header = bytes === null ? null : readBatchHeader(bytes);
  if (bytes === null || header === null) throw new Error("only a finished batch can be split");
  const records = readRecords(bytes, 0, header);
  const middle = Math.ceil(records.length / 2);
  const parts = [records.slice(0, middle), records.slice(middle)].map((some, i) => {
    const builder = new BatchBuilder({ bytesInitial: Math.max(512, bytes.length) });
    for (const each of some) builder.append(each.timestamp, each.key, each.value, each.headers);
    const part = new Batch(whole.topic, whole.partition, whole.createdAt, builder);
    part.producerId = whole.producerId;
    part.producerEpoch = whole.producerEpoch;
    part.sequence = whole.sequence < 0 ? -1 : i === 0 ? whole.sequence : sequenceAfter(whole.sequence, middle);
    part.parent = whole;
    return part;
  });
  whole.partsOpen = parts.length;
  return parts;
}
