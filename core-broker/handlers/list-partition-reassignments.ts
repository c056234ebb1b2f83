/** ListPartitionReassignments (46), version 0: with one node there are none. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { requireOnCluster } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { listPartitionReassignments } from "../protocol/messages/list-partition-reassignments.ts";
import { type Handler, handler } from "./handler.ts";

export const listPartitionReassignmentsHandler = (): Handler =>
  handler(listPartitionReassignments, (context) => {
    requireOnCluster(context, AclOperation.DESCRIBE);
    return { errorCode: ErrorCode.NONE, errorMessage: null, topics: [] };
  });
