/** The handlers of the group and transaction coordinators' APIs. */
import type { Coordinators } from "../coordinator/types.ts";
import { addOffsetsToTxnHandler } from "./add-offsets-to-txn.ts";
import { addPartitionsToTxnHandler } from "./add-partitions-to-txn.ts";
import { consumerGroupDescribeHandler } from "./consumer-group-describe.ts";
import { consumerGroupHeartbeatHandler } from "./consumer-group-heartbeat.ts";
import { deleteGroupsHandler } from "./delete-groups.ts";
import { describeGroupsHandler } from "./describe-groups.ts";
import { describeTransactionsHandler } from "./describe-transactions.ts";
import { endTxnHandler } from "./end-txn.ts";
import { findCoordinatorHandler } from "./find-coordinator.ts";
import type { Handler } from "./handler.ts";
import { heartbeatHandler } from "./heartbeat.ts";
import { initProducerIdHandler } from "./init-producer-id.ts";
import { joinGroupHandler } from "./join-group.ts";
import { leaveGroupHandler } from "./leave-group.ts";
import { listGroupsHandler } from "./list-groups.ts";
import { listTransactionsHandler } from "./list-transactions.ts";
import { offsetCommitHandler } from "./offset-commit.ts";
import { offsetDeleteHandler } from "./offset-delete.ts";
import { offsetFetchHandler } from "./offset-fetch.ts";
import { syncGroupHandler } from "./sync-group.ts";
import { txnOffsetCommitHandler } from "./txn-offset-commit.ts";
import { writeTxnMarkersHandler } from "./write-txn-markers.ts";

const HANDLERS = [
  findCoordinatorHandler,
  joinGroupHandler,
  syncGroupHandler,
  heartbeatHandler,
  leaveGroupHandler,
  listGroupsHandler,
  describeGroupsHandler,
  deleteGroupsHandler,
  offsetCommitHandler,
  offsetFetchHandler,
  offsetDeleteHandler,
  initProducerIdHandler,
  addPartitionsToTxnHandler,
  addOffsetsToTxnHandler,
  endTxnHandler,
  writeTxnMarkersHandler,
  txnOffsetCommitHandler,
  describeTransactionsHandler,
  listTransactionsHandler,
  consumerGroupHeartbeatHandler,
  consumerGroupDescribeHandler,
] as const;

export const coordinatorHandlers = (coordinators: Coordinators): Handler[] => HANDLERS.map((make) => make(coordinators));
