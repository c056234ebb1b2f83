/**
 * KRaft's framing of a metadata record's value: unsigned varints for frame version (1), record type and record version, then
 * the record in flexible form. Source: KIP-631, "Metadata record format".
 */
import { ProtocolError } from "../protocol/errors.ts";
import { Reader } from "../protocol/reader.ts";
import { decodeBody, encodeBody } from "../protocol/record-codec.ts";
import type { Encodable, RecordOf, RecordType } from "../protocol/schema.ts";
import * as declared from "../protocol/state/metadata-records.ts";
import { Writer } from "../protocol/writer.ts";

const FRAME_VERSION = 1;
const types: readonly RecordType[] = Object.values(declared);
const byType: ReadonlyMap<number, RecordType> = new Map(types.map((type) => [type.type, type]));

/** One record, bound to its declaration; `is` narrows it. */
export interface MetadataRecord {
  readonly type: RecordType;
  readonly version: number;
  readonly value: unknown;
}
export function metadataRecord<R extends RecordType>(type: R, value: Encodable<RecordOf<R>>, version = type.versions[1]): MetadataRecord {
  return { type, version, value };
}
export function encodeMetadataRecord(record: MetadataRecord): Buffer {
  const writer = new Writer();
  writer.uvarint(FRAME_VERSION);
  writer.uvarint(record.type.type);
  writer.uvarint(record.version);
  // `metadataRecord` has checked the value against the declaration.
  writer.raw(encodeBody(record.type, record.version, record.value as Encodable<RecordOf<RecordType>>));
  return writer.concat();
}
/** Null: a type or version that we do not know; it is kept in the log but not in the image. */
export function decodeMetadataRecord(bytes: Uint8Array): MetadataRecord | null {
  const reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const frameVersion = reader.uvarint();
  if (frameVersion !== FRAME_VERSION) throw new ProtocolError(`metadata record with frame version ${frameVersion}`);
  const type = byType.get(reader.uvarint());
  const version = reader.uvarint();
  if (type === undefined || version > type.versions[1]) return null;
  return { type, version, value: decodeBody(type, version, bytes.subarray(reader.position)) };
}
