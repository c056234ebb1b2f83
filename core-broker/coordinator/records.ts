/** Keys of the state topics: the record type's id as int16, then the key's fields (always version 0). */
import { encodeRecord } from "../protocol/record-codec.ts";
import type { Encodable, RecordOf, RecordType } from "../protocol/schema.ts";

export const encodeKey = <R extends RecordType>(type: R, key: Encodable<RecordOf<R>>): Buffer => encodeRecord(type, 0, key, type.type);

/** Java's String.hashCode of the key, made non-negative as Kafka does, over the number of partitions. */
export function partitionForKey(key: string, partitions: number): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return (hash === -2_147_483_648 ? 0 : Math.abs(hash)) % partitions;
}
