/** `provide.transaction.metadata`: BEGIN and END records, and the block in each event that says where it stands. */
import { arrayOf, INT64, OPTIONAL_INT64, type Schema, STRING, structOf } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { OffsetValue, SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { TRANSACTION_BLOCK } from "./envelope.ts";
import { inHashMapOrder } from "./java-hash.ts";

const COLLECTION: Schema = structOf(
  [
    ["data_collection", STRING],
    ["event_count", INT64],
  ],
  { name: "event.collection", version: 1, optional: true },
);
const TRANSACTION_KEY: Schema = structOf([["id", STRING]], {
  name: "io.debezium.connector.common.TransactionMetadataKey",
  version: 1,
});
const TRANSACTION_VALUE: Schema = structOf(
  [
    ["status", STRING],
    ["id", STRING],
    ["event_count", OPTIONAL_INT64],
    ["data_collections", arrayOf(COLLECTION, { optional: true })],
    ["ts_ms", INT64],
  ],
  { name: "io.debezium.connector.common.TransactionMetadataValue", version: 1 },
);

/** `display`: the transaction's id, as its events have it. `value`: of `TransactionContext`. */
export const transactionRecord = (
  topic: string,
  display: string,
  value: Struct,
  sourcePartition: SourcePartition,
  sourceOffset: SourceOffset,
): SourceRecord => ({
  topic,
  partition: null,
  keySchema: TRANSACTION_KEY,
  key: new Struct(TRANSACTION_KEY, [display]),
  valueSchema: TRANSACTION_VALUE,
  value,
  timestamp: null,
  headers: [],
  sourcePartition,
  sourceOffset,
});
export class TransactionContext {
  #id: string | null = null;
  #total = 0;
  readonly #perTable = new Map<string, number>();

  get id(): string | null {
    return this.#id;
  }
  begin(id: string): void {
    this.#id = id;
    this.#total = 0;
    this.#perTable.clear();
  }
  end(): void {
    this.#id = null;
    this.#total = 0;
    this.#perTable.clear();
  }
  /** The block of the next event of `table`; `display` is the id with the position added. */
  next(table: string, display: string): Struct {
    const order = (this.#perTable.get(table) ?? 0) + 1;
    this.#perTable.set(table, order);
    this.#total++;
    return new Struct(TRANSACTION_BLOCK, [display, BigInt(this.#total), BigInt(order)]);
  }
  /** Counts an event that was delivered in an earlier run. */
  skip(table: string): void {
    this.next(table, "");
  }
  beginValue(display: string, tsMs: number): Struct {
    return new Struct(TRANSACTION_VALUE, ["BEGIN", display, null, null, BigInt(tsMs)]);
  }
  endValue(display: string, tsMs: number): Struct {
    const tables = inHashMapOrder(this.#perTable).map(([table, count]) => new Struct(COLLECTION, [table, BigInt(count)]));
    return new Struct(TRANSACTION_VALUE, ["END", display, BigInt(this.#total), tables, BigInt(tsMs)]);
  }
  /** Keys that offsets carry inside a transaction. */
  offset(): Record<string, OffsetValue> {
    const out: Record<string, OffsetValue> = { transaction_id: this.#id };
    for (const [table, count] of this.#perTable) out[`transaction_data_collection_order_${table}`] = count;
    return out;
  }
}
