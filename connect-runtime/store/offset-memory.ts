/** Offsets that live as long as the process (Kafka's MemoryOffsetBackingStore): for tests and trials. */
import type { OffsetStore } from "../worker/types.ts";
import { OffsetTable } from "./offset-table.ts";

export function memoryOffsetStore(): OffsetStore {
  const table = new OffsetTable();
  return {
    start: () => Promise.resolve(),
    read: (connector, partitions) => Promise.resolve(partitions.map((p) => table.get(connector, p))),
    write(connector, entries) {
      for (const { partition, offset } of entries) table.set(connector, partition, offset);
      return Promise.resolve();
    },
    list: (connector) => Promise.resolve(table.list(connector)),
    close: () => Promise.resolve(),
  };
}
