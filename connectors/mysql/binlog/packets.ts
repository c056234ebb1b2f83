/**
 * Cuts a byte stream into packets of MySQL's protocol (3 bytes length, sequence number, payload). A packet is a range of the
 * input's memory; payloads of 16 MB and more come in several packets and are put together. The consumer pulls, so it can stop in
 * mid-chunk when it is full.
 */
import { InputBuffer } from "../../cdc/input-buffer.ts";
import { uint24, uint32 } from "./bytes.ts";
import { BinlogError } from "./failures.ts";

const HEADER_BYTES = 4;
/** A packet of this size is continued by the next one. */
const PACKET_BYTES_MAX = 0xffffff;
/** max_allowed_packet's own limit, and the header that the log adds. */
const PAYLOAD_BYTES_MAX = 0x40000000 + 1024 * 1024;

export class PacketReader {
  readonly input = new InputBuffer({
    messageBytes: (b, position, rest) => (rest < HEADER_BYTES ? 0 : uint24(b, position) + HEADER_BYTES),
    left: (chunk) => [chunk],
  });
  /** Where the payload that `next` found is in `bytes`. */
  bytes: Buffer = this.input.bytes;
  start = 0;
  end = 0;
  #large: Buffer | null = null;
  #largeBytes = 0;

  /** False: more bytes are needed. Throws BinlogError for a payload that no server sends. */
  next(): boolean {
    const input = this.input;
    for (;;) {
      const pos = input.position;
      const left = input.end - pos;
      if (left < HEADER_BYTES) return false;
      const b = input.bytes;
      const size = uint24(b, pos);
      if (left < HEADER_BYTES + size) return false;
      const from = pos + HEADER_BYTES;
      input.position = from + size;
      if (size < PACKET_BYTES_MAX && this.#large === null) {
        this.bytes = b;
        this.start = from;
        this.end = from + size;
        return true;
      }
      this.#large = this.#collect(b, from, size);
      if (size === PACKET_BYTES_MAX) continue;
      this.bytes = this.#large;
      this.start = 0;
      this.end = this.#largeBytes;
      this.#large = null;
      this.#largeBytes = 0;
      return true;
    }
  }
  /** What belongs together so far, with one more packet. */
  #collect(b: Buffer, from: number, size: number): Buffer {
    const need = this.#largeBytes + size;
    if (need > PAYLOAD_BYTES_MAX) throw new BinlogError("too-large", `A packet has more than ${PAYLOAD_BYTES_MAX} bytes`);
    let large = this.#large;
    if (large === null || large.length < need) {
      // An event says its length in its header, after the packet's status byte: with luck all the room is made at once.
      const told = this.#largeBytes === 0 && size > 20 ? uint32(b, from + 10) + 1 : 0;
      const room = told >= need && told <= PAYLOAD_BYTES_MAX ? told : Math.min(need * 2, PAYLOAD_BYTES_MAX);
      const grown = Buffer.allocUnsafeSlow(room);
      large?.copy(grown, 0, 0, this.#largeBytes);
      large = grown;
    }
    b.copy(large, this.#largeBytes, from, from + size);
    this.#largeBytes = need;
    return large;
  }
}
