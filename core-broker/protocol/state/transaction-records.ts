import { array, int16, int32, int64, int8, record, string, type RecordOf } from "../schema.ts";

/** Records of __transaction_state. */
export const transactionLogKey = record({
  name: "TransactionLogKey",
  type: 0,
  versions: [0, 0],
  flexible: null,
  shape: { transactionalId: string() },
});
export type TransactionLogKey = RecordOf<typeof transactionLogKey>;

export const transactionLogValue = record({
  name: "TransactionLogValue",
  type: 0,
  versions: [0, 1],
  flexible: 1,
  shape: {
    producerId: int64(),
    previousProducerId: int64({ tag: 0, taggedSince: 1, default: -1 }),
    nextProducerId: int64({ tag: 1, taggedSince: 1, default: -1 }),
    producerEpoch: int16(),
    nextProducerEpoch: int16({ tag: 3, taggedSince: 1, default: -1 }),
    transactionTimeoutMs: int32(),
    transactionStatus: int8(),
    transactionPartitions: array({ topic: string(), partitionIds: array(int32()) }, { nullable: true }),
    transactionLastUpdateTimestampMs: int64(),
    transactionStartTimestampMs: int64(),
    clientTransactionVersion: int16({ tag: 2, taggedSince: 1 }),
  },
});
export type TransactionLogValue = RecordOf<typeof transactionLogValue>;
