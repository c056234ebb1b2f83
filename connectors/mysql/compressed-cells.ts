/** Cells that are not simply their bytes: zero-padded, or compressed by MariaDB. */
import type { RawColumn } from "#connect/api/raw-row";
import { COLUMN_TYPE } from "./binlog/column-types.ts";
import { inflateColumn } from "./binlog/mariadb-compression.ts";
import type { TableColumn } from "./binlog/types.ts";

/** The largest value that the server's protocol carries. */
const CELL_MAX_BYTES = 1024 * 1024 * 1024;

/** A copy of `length` bytes, with zero bytes where the cell has fewer. */
export function cellBytes(b: Uint8Array, start: number, end: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  const given = Math.min(end - start, length);
  Buffer.prototype.copy.call(b, bytes, 0, start, start + given);
  if (given < length) bytes.fill(0, given);
  return bytes;
}
const compressed = (wire: TableColumn): boolean =>
  wire.type === COLUMN_TYPE.BLOB_COMPRESSED || wire.type === COLUMN_TYPE.VARCHAR_COMPRESSED;

/** The column for cells that may be compressed ones (COMPRESSED columns of MariaDB). */
export function inflating(wire: TableColumn, column: RawColumn): RawColumn {
  if (!compressed(wire)) return column;
  return {
    form: "decode",
    decode(b, start, end) {
      const bytes = inflateColumn(b, start, end, CELL_MAX_BYTES);
      return column.decode(bytes, 0, bytes.length);
    },
  };
}
