/**
 * A `java.util.HashMap<byte[], byte[]>` in Java's object stream (Java Object Serialization Specification, chapter 6): what the JVM's
 * FileOffsetBackingStore keeps in `offset.storage.file.filename`.
 */
import { ConnectError } from "../api/errors.ts";

export type BytePair = readonly [key: Buffer, value: Buffer | null];

const [NULL, REFERENCE, CLASS_DESC, OBJECT, ARRAY, BLOCK_DATA, END_BLOCK] = [0x70, 0x71, 0x72, 0x73, 0x75, 0x77, 0x78];
const FIRST_HANDLE = 0x7e0000;
const MAGIC = Buffer.from("aced0005", "hex");
/** Name, serialVersionUID, flags (has a writeObject; serializable), fields. */
const HASH_MAP_DESC = Buffer.concat([
  Buffer.from([CLASS_DESC, 0, 17]),
  Buffer.from("java.util.HashMap"),
  Buffer.from("0507dac1c31660d1", "hex"),
  Buffer.from([3, 0, 2]),
  Buffer.from("F\0\x0aloadFactor"),
  Buffer.from("I\0\x09threshold"),
  Buffer.from([END_BLOCK, NULL]),
]);
const BYTES_DESC = Buffer.concat([
  Buffer.from([CLASS_DESC, 0, 2]),
  Buffer.from("[B"),
  Buffer.from("acf317f8060854e0", "hex"),
  Buffer.from([2, 0, 0, END_BLOCK, NULL]),
]);
const BYTES_HANDLE = FIRST_HANDLE + 2;
const LOAD_FACTOR = 0.75;

export const isJavaStream = (bytes: Uint8Array): boolean => bytes[0] === 0xac && bytes[1] === 0xed;

function int32(n: number): Buffer {
  const b = Buffer.allocUnsafe(4);
  b.writeInt32BE(n);
  return b;
}
export function encodeHashMap(pairs: readonly BytePair[]): Buffer {
  let capacity = 16;
  while (capacity * LOAD_FACTOR < pairs.length) capacity *= 2;
  const loadFactor = Buffer.allocUnsafe(4);
  loadFactor.writeFloatBE(LOAD_FACTOR);
  const parts = [MAGIC, Buffer.from([OBJECT]), HASH_MAP_DESC, loadFactor, int32(capacity * LOAD_FACTOR)];
  parts.push(Buffer.from([BLOCK_DATA, 8]), int32(capacity), int32(pairs.length));
  let described = false;
  const array = (bytes: Buffer | null): void => {
    if (bytes === null) return void parts.push(Buffer.from([NULL]));
    const desc = described ? Buffer.concat([Buffer.from([REFERENCE]), int32(BYTES_HANDLE)]) : BYTES_DESC;
    described = true;
    parts.push(Buffer.from([ARRAY]), desc, int32(bytes.length), bytes);
  };
  for (const [key, value] of pairs) {
    array(key);
    array(value);
  }
  parts.push(Buffer.from([END_BLOCK]));
  return Buffer.concat(parts);
}

/** Throws ConnectError for anything but such a map. */
export function decodeHashMap(bytes: Uint8Array): BytePair[] {
  return new Decoder(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).map();
}
class Decoder {
  readonly #bytes: Buffer;
  #at = 0;
  /** By handle; null: a class or the map itself. */
  readonly #handles: (Buffer | null)[] = [];
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }
  map(): BytePair[] {
    this.#expect(MAGIC, "an object stream");
    this.#expect(Buffer.from([OBJECT]), "an object");
    this.#expect(HASH_MAP_DESC, "a java.util.HashMap");
    this.#handles.push(null, null);
    // Load factor and threshold mean nothing here.
    this.#take(8);
    this.#expect(Buffer.from([BLOCK_DATA, 8]), "the size of the map");
    this.#take(4);
    const size = this.#take(4).readInt32BE();
    const pairs: BytePair[] = [];
    for (let n = 0; n < size; n++) {
      const key = this.#array();
      const value = this.#array();
      if (key !== null) pairs.push([key, value]);
    }
    this.#expect(Buffer.from([END_BLOCK]), "the end of the map");
    return pairs;
  }
  #array(): Buffer | null {
    const tag = this.#take(1)[0];
    if (tag === NULL) return null;
    if (tag === REFERENCE) {
      const found = this.#handles[this.#take(4).readInt32BE() - FIRST_HANDLE];
      if (found === undefined || found === null) throw damaged("a reference to something that is no array");
      return found;
    }
    if (tag !== ARRAY) throw damaged(`an entry of type ${tag}`);
    if (this.#bytes[this.#at] === REFERENCE) {
      if (this.#take(5).readInt32BE(1) !== BYTES_HANDLE) throw damaged("an array of another class");
    } else {
      this.#expect(BYTES_DESC, "an array of bytes");
      this.#handles.push(null);
    }
    const length = this.#take(4).readInt32BE();
    const bytes = this.#take(length);
    this.#handles.push(bytes);
    return bytes;
  }
  #take(count: number): Buffer {
    if (count < 0 || this.#at + count > this.#bytes.length) throw damaged("an early end");
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }
  #expect(wanted: Buffer, what: string): void {
    if (!this.#take(wanted.length).equals(wanted)) throw damaged(`something else than ${what}`);
  }
}
const damaged = (what: string): ConnectError => new ConnectError(`Not a serialised HashMap of byte arrays: found ${what}`);
