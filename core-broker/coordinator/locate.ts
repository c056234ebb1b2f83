/** FindCoordinator: which broker coordinates a group or a transactional id. Creates the state topic on first need. */
import { ErrorCode, errorName, KafkaError } from "../protocol/errors.ts";
import { codeOf } from "./error-code.ts";
import { partitionForKey } from "./records.ts";
import type { CoordinatorDeps } from "./types.ts";

const GROUP = 0;
const TRANSACTION = 1;

export interface Location {
  readonly key: string;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly errorCode: number;
  readonly errorMessage: string;
}
const nowhere = (key: string, errorCode: number): Location => ({
  key,
  nodeId: -1,
  host: "",
  port: -1,
  errorCode,
  errorMessage: errorName(errorCode),
});

export async function locateCoordinator(deps: CoordinatorDeps, keyType: number, key: string, listener: string): Promise<Location> {
  if (keyType !== GROUP && keyType !== TRANSACTION) return nowhere(key, ErrorCode.INVALID_REQUEST);
  if (keyType === TRANSACTION && key === "") return nowhere(key, ErrorCode.INVALID_REQUEST);
  const log = keyType === GROUP ? deps.groupLog : deps.transactionLog;
  try {
    if (log.partitionCount() === null) await log.ensureTopic();
    const partitions = log.partitionCount();
    const leader = partitions === null ? null : log.leaderOf(partitionForKey(key, partitions));
    const endpoint = leader === null ? null : deps.metadata.endpoint(leader, listener);
    if (leader === null || endpoint === null) return nowhere(key, ErrorCode.COORDINATOR_NOT_AVAILABLE);
    return { key, nodeId: leader, host: endpoint.host, port: endpoint.port, errorCode: ErrorCode.NONE, errorMessage: "NONE" };
  } catch (error) {
    deps.logger.warn("a state topic could not be created", { topic: log.topic, error: String(error) });
    const known = error instanceof KafkaError && error.code === ErrorCode.INVALID_REPLICATION_FACTOR;
    return nowhere(key, known ? ErrorCode.COORDINATOR_NOT_AVAILABLE : codeOf(error));
  }
}
