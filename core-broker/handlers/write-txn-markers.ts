import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnCluster } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { codeOf } from "../coordinator/error-code.ts";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { writeTxnMarkers, type WriteTxnMarkersRequest } from "../protocol/messages/write-txn-markers.ts";
import { type Handler, handler } from "./handler.ts";

/** From other brokers' coordinators, and from an administrator who ends a hanging transaction. */
export const writeTxnMarkersHandler = ({ transactions }: Coordinators): Handler =>
  handler(writeTxnMarkers, async (context, request) => {
    if (!mayOnCluster(context, AclOperation.ALTER, true) && !mayOnCluster(context, AclOperation.CLUSTER_ACTION)) return refuse(request);
    const markers = request.markers.map(async (marker) => {
      const topics = marker.topics.map(async ({ name, partitionIndexes }) => ({
        name,
        partitions: await Promise.all(
          partitionIndexes.map(async (partitionIndex) => ({
            partitionIndex,
            errorCode: await transactions.sender
              .write(name, partitionIndex, marker, marker.transactionResult, marker.coordinatorEpoch)
              .then(
                () => ErrorCode.NONE,
                (error: unknown) => (error instanceof KafkaError ? error.code : codeOf(error)),
              ),
          })),
        ),
      }));
      return { producerId: marker.producerId, topics: await Promise.all(topics) };
    });
    return { markers: await Promise.all(markers) };
  });

const refuse = ({ markers }: WriteTxnMarkersRequest) => ({
  markers: markers.map(({ producerId, topics }) => ({
    producerId,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED })),
    })),
  })),
});
