/** The offsets of all connectors in memory: what every store folds its records into. */
import { inBufferKeyOrder, inMapKeyOrder } from "../api/hash-map-order.ts";
import type { SourceOffset, SourcePartition } from "../api/record.ts";
import type { OffsetEntry } from "../worker/types.ts";
import { canonicalKey, offsetKey } from "./offset-json.ts";

interface Row {
  readonly connector: string;
  readonly partition: SourcePartition;
  readonly offset: SourceOffset;
  /** The key as its writer wrote it: later records of this partition must carry the same bytes to be compacted. */
  readonly key: string;
}
export class OffsetTable {
  readonly #rows = new Map<string, Row>();

  set(connector: string, partition: SourcePartition, offset: SourceOffset | null, key = offsetKey(connector, partition)): void {
    const id = canonicalKey(connector, partition);
    if (offset === null) this.#rows.delete(id);
    else this.#rows.set(id, { connector, partition, offset, key });
  }
  get(connector: string, partition: SourcePartition): SourceOffset | null {
    return this.#rows.get(canonicalKey(connector, partition))?.offset ?? null;
  }
  keyOf(connector: string, partition: SourcePartition): string {
    return this.#rows.get(canonicalKey(connector, partition))?.key ?? offsetKey(connector, partition);
  }
  /** In the JVM's order, which answers show: of the map of partitions, which is filled from the map of serialised keys. */
  list(connector: string): OffsetEntry[] {
    const mine = [...this.#rows.values()].filter((row) => row.connector === connector);
    const read = inBufferKeyOrder(mine, (row) => row.key);
    return inMapKeyOrder(read, (row) => row.partition).map(({ partition, offset }) => ({ partition, offset }));
  }
  rows(): Iterable<Row> {
    return this.#rows.values();
  }
}
