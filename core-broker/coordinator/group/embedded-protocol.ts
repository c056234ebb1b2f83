/** What classic consumers put into their group's opaque bytes: subscriptions and assignments of protocol type "consumer". */
import { decodeRecord, encodeRecord, recordPrefix } from "../../protocol/record-codec.ts";
import type { RecordOf, RecordType } from "../../protocol/schema.ts";
import {
  type ConsumerProtocolAssignment,
  consumerProtocolAssignment,
  type ConsumerProtocolSubscription,
  consumerProtocolSubscription,
} from "../../protocol/state/embedded.ts";
import type { MetadataView } from "../types.ts";
import { type Assignment, assignmentOf } from "./assignment.ts";

/** Null: not a readable subscription (KIP-559: the bytes are opaque to the broker). */
export const subscriptionOf = (metadata: Uint8Array): ConsumerProtocolSubscription | null => read(consumerProtocolSubscription, metadata);
export const subscribedTopicsOf = (metadata: Uint8Array): readonly string[] | null => subscriptionOf(metadata)?.topics ?? null;
/** No bytes: nothing is assigned. Null: not readable. */
export function embeddedAssignmentOf(bytes: Uint8Array): ConsumerProtocolAssignment | null {
  return bytes.length === 0 ? { assignedPartitions: [], userData: null } : read(consumerProtocolAssignment, bytes);
}

/** Newer versions only append fields: they are read as the newest that we know. */
function read<R extends RecordType>(type: R, bytes: Uint8Array): RecordOf<R> | null {
  try {
    return decodeRecord(type, bytes, Math.min(recordPrefix(bytes), type.versions[1]));
  } catch {
    return null;
  }
}

type Named = readonly { readonly topic: string; readonly partitions: readonly number[] }[];
/** Topics that do not exist are left out. */
export function idsOf(named: Named, metadata: MetadataView): Assignment {
  return assignmentOf(
    named.flatMap(({ topic, partitions }) => {
      const topicId = metadata.topicId(topic);
      return topicId === null ? [] : [{ topicId, partitions }];
    }),
  );
}

/** In the version in which the member wrote its subscription. */
export function embeddedAssignment(assignment: Assignment, subscription: Uint8Array, metadata: MetadataView): Uint8Array {
  const assignedPartitions: { topic: string; partitions: number[] }[] = [];
  for (const [topicId, partitions] of assignment) {
    const topic = metadata.topicName(topicId);
    if (topic !== null) assignedPartitions.push({ topic, partitions: [...partitions].sort((a, b) => a - b) });
  }
  const version = subscription.length < 2 ? 0 : Math.max(0, Math.min(recordPrefix(subscription), consumerProtocolAssignment.versions[1]));
  return encodeRecord(consumerProtocolAssignment, version, { assignedPartitions });
}
