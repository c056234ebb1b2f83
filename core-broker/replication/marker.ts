/** End-transaction markers (KIP-98): a control batch with one record. */
import { BatchBuilder } from "../protocol/records/builder.ts";
import type { EndTransactionMarker } from "./types.ts";

const ABORT = 0;
const COMMIT = 1;

export function markerBatch(marker: EndTransactionMarker, nowMs: number): Buffer {
  const builder = new BatchBuilder({
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    transactional: true,
    control: true,
  });
  const key = Buffer.alloc(4);
  key.writeInt16BE(marker.committed ? COMMIT : ABORT, 2);
  const value = Buffer.alloc(6);
  value.writeInt32BE(marker.coordinatorEpoch, 2);
  builder.append(nowMs, key, value, []);
  return builder.build("none");
}
