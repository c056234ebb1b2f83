/** TRANSACTION_PAYLOAD_EVENT (binlog_transaction_compression): fields, then a whole transaction's events, zstd as a rule. */
import { zstdDecompressSync } from "node:zlib";
import type { ByteCursor } from "./bytes.ts";
import { BinlogError } from "./failures.ts";
import type { BinlogEvent, EventHeader, TransactionPayloadEvent } from "./types.ts";

const COMPRESSION_NONE = 255;
const COMPRESSION_ZSTD = 0;

type PackedTransaction = Omit<TransactionPayloadEvent, "events">;

/** `eventsOf`: decodes what the transaction packs. */
export function readTransactionPayload(
  header: EventHeader,
  c: ByteCursor,
  eventsOf: (payload: PackedTransaction) => Generator<BinlogEvent, void, undefined>,
): TransactionPayloadEvent {
  let compression = COMPRESSION_NONE,
    uncompressed = -1,
    size = -1;
  for (;;) {
    const field = c.packed();
    if (field === 0) break;
    const length = c.packed();
    const from = c.p;
    if (field === 1) size = c.packed();
    else if (field === 2) compression = c.packed();
    else if (field === 3) uncompressed = c.packed();
    c.skip(length - (c.p - from));
  }
  if (compression !== COMPRESSION_ZSTD && compression !== COMPRESSION_NONE)
    throw new BinlogError("unsupported", `A transaction is compressed with algorithm ${compression}`);
  const payload = c.bytes(size < 0 ? c.left : size);
  const zstd = compression === COMPRESSION_ZSTD;
  const packed: PackedTransaction = {
    kind: "transactionPayload",
    header,
    compression: zstd ? "zstd" : "none",
    payload,
    uncompressedBytes: uncompressed < 0 ? (zstd ? 0 : payload.length) : uncompressed,
  };
  return { ...packed, events: () => eventsOf(packed) };
}

/** The events' bytes. `maxBytes` bounds what is allocated, whatever the event promises. */
export function unpackPayload(event: PackedTransaction, maxBytes: number): Buffer {
  if (event.compression === "none") return event.payload;
  const size = event.uncompressedBytes;
  if (size > maxBytes) throw new BinlogError("too-large", `A transaction has ${size} bytes unpacked; ${maxBytes} are allowed`);
  let out: Buffer;
  try {
    out = zstdDecompressSync(event.payload, { maxOutputLength: Math.max(1, size) });
  } catch (error) {
    throw new BinlogError("corrupt", "A compressed transaction could not be unpacked", error);
  }
  if (out.length !== size)
    throw new BinlogError("corrupt", `A compressed transaction has ${out.length} bytes unpacked and ${size} were promised`);
  return out;
}
