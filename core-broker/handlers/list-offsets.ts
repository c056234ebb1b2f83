/**
 * ListOffsets (2), versions 1-10. Timestamps below zero have meanings: -1 latest, -2 earliest, -3 (since 7) the record with
 * the largest timestamp, -4 (since 8) earliest local, -5 (since 9) latest tiered. Nothing found: offset -1.
 */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnTopic } from "./authorization.ts";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { listOffsets, type ListOffsetsResponse } from "../protocol/messages/list-offsets.ts";
import type { Isolation } from "../replication/types.ts";
import { absent } from "./absent-partition.ts";
import type { HandlerDeps } from "./deps.ts";
import { failureOf } from "./failure.ts";
import { type Handler, handler } from "./handler.ts";

type PartitionResponse = ListOffsetsResponse["topics"][number]["partitions"][number];
/** The version from which on a special timestamp may be used. */
const SPECIAL_SINCE: Readonly<Record<number, number>> = { [-3]: 7, [-4]: 8, [-5]: 9 };
const EARLIEST_TIERED = -6;
const LEADER_EPOCH_SINCE = 4;

export const listOffsetsHandler = (deps: HandlerDeps): Handler =>
  handler(listOffsets, (context, request) => {
    const { version } = context;
    const isolation: Isolation = request.isolationLevel === 1 ? "read_committed" : "read_uncommitted";
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp, currentLeaderEpoch }): PartitionResponse => {
          try {
            if (!mayOnTopic(context, AclOperation.DESCRIBE, name)) throw new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
            if (timestamp <= EARLIEST_TIERED || version < (SPECIAL_SINCE[timestamp] ?? 0))
              throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION);
            const partition = deps.logs.get(name, partitionIndex);
            if (partition === undefined) throw absent(deps, name, partitionIndex);
            checkLeaderEpoch(partition.leaderEpoch, currentLeaderEpoch);
            const found = partition.offsetForTime(timestamp, isolation);
            const leaderEpoch = version >= LEADER_EPOCH_SINCE ? found.leaderEpoch : -1;
            return { partitionIndex, errorCode: ErrorCode.NONE, timestamp: found.timestampMs, offset: found.offset, leaderEpoch };
          } catch (error) {
            return { partitionIndex, errorCode: failureOf(error, deps.logger).errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 };
          }
        }),
      })),
    };
  });

/** What a client knows of the leader may be old, or newer than ours (KIP-320). -1: it does not say. */
export function checkLeaderEpoch(ours: number, theirs: number): void {
  if (theirs < 0 || theirs === ours) return;
  throw new KafkaError(theirs < ours ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH);
}
