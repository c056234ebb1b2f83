/** Records of internal topics: the version as int16, then the shape. One codec per record type and version, made on first use. */
import { compileDecoder, compileEncoder, type Decode, type Encode } from "./compile.ts";
import { ProtocolError } from "./errors.ts";
import { Reader } from "./reader.ts";
import type { Encodable, RecordOf, RecordType } from "./schema.ts";
import { Writer } from "./writer.ts";

const decoders = new WeakMap<RecordType, (Decode | undefined)[]>();
const encoders = new WeakMap<RecordType, (Encode | undefined)[]>();

function cacheOf<T>(map: WeakMap<RecordType, (T | undefined)[]>, type: RecordType): (T | undefined)[] {
  let cache = map.get(type);
  if (cache === undefined) {
    cache = [];
    map.set(type, cache);
  }
  return cache;
}
function form(type: RecordType, version: number): { version: number; flexible: boolean } {
  if (version < type.versions[0] || version > type.versions[1]) throw new ProtocolError(`${type.name} has no version ${version}`);
  return { version, flexible: type.flexible !== null && version >= type.flexible };
}

/** The body alone: what stands after the version. */
export function encodeBody<R extends RecordType>(type: R, version: number, value: Encodable<RecordOf<R>>): Buffer {
  const writer = new Writer();
  (cacheOf(encoders, type)[version] ??= compileEncoder(type.shape, form(type, version), type.name))(writer, value);
  return writer.concat();
}
export function decodeBody<R extends RecordType>(type: R, version: number, bytes: Uint8Array): RecordOf<R> {
  const decode = (cacheOf(decoders, type)[version] ??= compileDecoder(type.shape, form(type, version), type.name));
  // The decoder was compiled from this very shape.
  return decode(new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))) as RecordOf<R>;
}
/** int16 `prefix` (the version; for coordinator keys the type id), then the body of the given version. */
export function encodeRecord<R extends RecordType>(
  type: R,
  version: number,
  value: Encodable<RecordOf<R>>,
  prefix: number = version,
): Buffer {
  const body = encodeBody(type, version, value);
  const out = Buffer.allocUnsafe(2 + body.length);
  out.writeInt16BE(prefix, 0);
  body.copy(out, 2);
  return out;
}
/** The int16 that a record's key or value opens with. Throws ProtocolError on less than two bytes. */
export function recordPrefix(bytes: Uint8Array): number {
  if (bytes.length < 2) throw new ProtocolError("a record of less than two bytes");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readInt16BE(0);
}
/** Reads the version from the bytes. For coordinator keys, whose prefix is the type id, give `version`. */
export function decodeRecord<R extends RecordType>(type: R, bytes: Uint8Array, version: number = recordPrefix(bytes)): RecordOf<R> {
  return decodeBody(type, version, bytes.subarray(2));
}
