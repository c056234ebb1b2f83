/** ListPartitionReassignments (46), version 0: with one node there are none. */
import { ErrorCode } from "../protocol/errors.ts";
import { listPartitionReassignments } from "../protocol/messages/list-partition-reassignments.ts";
import { type Handler, handler } from "./handler.ts";

export const listPartitionReassignmentsHandler = (): Handler =>
  handler(listPartitionReassignments, () => ({ errorCode: ErrorCode.NONE, errorMessage: null, topics: [] }));
