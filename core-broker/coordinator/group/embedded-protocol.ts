/** What classic consumers put into their group metadata: the subscription inside a member's protocol bytes. */
import { decodeRecord } from "../../protocol/record-codec.ts";
import { consumerProtocolSubscription } from "../../protocol/state/embedded.ts";

/** Null: not a readable subscription (KIP-559: the bytes are opaque to the broker). */
export function subscribedTopicsOf(metadata: Uint8Array): readonly string[] | null {
  try {
    return decodeRecord(consumerProtocolSubscription, withKnownVersion(metadata)).topics;
  } catch {
    return null;
  }
}

/** Newer versions only append fields: read them as the newest that we know. */
function withKnownVersion(metadata: Uint8Array): Uint8Array {
  const last = consumerProtocolSubscription.versions[1];
  const copy = Buffer.from(metadata);
  if (copy.length >= 2 && copy.readInt16BE(0) > last) copy.writeInt16BE(last, 0);
  return copy;
}
