/**
 * Cuts a byte stream into PostgreSQL protocol messages (type byte, int32 length, body). A message is a range of the input's
 * memory. The consumer pulls, so it can stop in mid-chunk when it is full.
 */
import { InputBuffer } from "../../cdc/input-buffer.ts";

const HEADER_BYTES = 5;
/** PostgreSQL itself never sends more than 1 GB in one message. */
const MESSAGE_BYTES_MAX = 0x40000000;
const COPY_DATA = 0x64;

export class FrameReader {
  readonly input = new InputBuffer({
    messageBytes: (b, position, rest) => (rest < HEADER_BYTES ? 0 : Math.min(b.readInt32BE(position + 1) + 1, MESSAGE_BYTES_MAX)),
    left: (chunk) => this.#leave(chunk),
  });
  /** Of the message that `next` found: its memory, type byte, and where its body starts and ends. */
  bytes: Buffer = this.input.bytes;
  type = 0;
  start = 0;
  end = 0;
  #hasData = false;
  /** Chunks that were left since data was last seen. */
  #resting: Buffer[] = [];

  /** False: more bytes are needed. Throws RangeError for a length that no server sends. */
  next(): boolean {
    const input = this.input;
    const pos = input.position;
    const left = input.end - pos;
    if (left < HEADER_BYTES) return false;
    const b = input.bytes;
    const size = b.readInt32BE(pos + 1) + 1;
    if (size < HEADER_BYTES || size > MESSAGE_BYTES_MAX) throw new RangeError(`protocol message of ${size} bytes`);
    if (left < size) return false;
    this.bytes = b;
    this.type = b[pos] ?? 0;
    if (this.type === COPY_DATA) this.#hasData = true;
    this.start = pos + HEADER_BYTES;
    this.end = pos + size;
    input.position = this.end;
    return true;
  }
  /** Gives those whose data messages are older than the newest one seen: who keeps one row back while the next comes has let go of them. */
  #leave(chunk: Buffer): readonly Buffer[] {
    const resting = this.#hasData ? this.#resting : [];
    if (this.#hasData) this.#resting = [];
    this.#resting.push(chunk);
    this.#hasData = false;
    return resting;
  }
}
