/** The handlers of all APIs but the coordinators'. */
import { alterClientQuotasHandler } from "./alter-client-quotas.ts";
import { alterConfigsHandler } from "./alter-configs.ts";
import { alterPartitionReassignmentsHandler } from "./alter-partition-reassignments.ts";
import { alterReplicaLogDirsHandler } from "./alter-replica-log-dirs.ts";
import { alterUserScramCredentialsHandler } from "./alter-user-scram-credentials.ts";
import { apiVersionsHandler } from "./api-versions.ts";
import { createAclsHandler } from "./create-acls.ts";
import { createPartitionsHandler } from "./create-partitions.ts";
import { createTopicsHandler } from "./create-topics.ts";
import { deleteAclsHandler } from "./delete-acls.ts";
import { deleteRecordsHandler } from "./delete-records.ts";
import { deleteTopicsHandler } from "./delete-topics.ts";
import type { HandlerDeps } from "./deps.ts";
import { describeAclsHandler } from "./describe-acls.ts";
import { describeClientQuotasHandler } from "./describe-client-quotas.ts";
import { describeClusterHandler } from "./describe-cluster.ts";
import { describeConfigsHandler } from "./describe-configs.ts";
import { describeLogDirsHandler } from "./describe-log-dirs.ts";
import { describeProducersHandler } from "./describe-producers.ts";
import { describeQuorumHandler } from "./describe-quorum.ts";
import { describeTopicPartitionsHandler } from "./describe-topic-partitions.ts";
import { describeUserScramCredentialsHandler } from "./describe-user-scram-credentials.ts";
import { electLeadersHandler } from "./elect-leaders.ts";
import { fetchHandler } from "./fetch.ts";
import type { Handler } from "./handler.ts";
import { incrementalAlterConfigsHandler } from "./incremental-alter-configs.ts";
import { listConfigResourcesHandler } from "./list-config-resources.ts";
import { listOffsetsHandler } from "./list-offsets.ts";
import { listPartitionReassignmentsHandler } from "./list-partition-reassignments.ts";
import { metadataHandler } from "./metadata.ts";
import { offsetForLeaderEpochHandler } from "./offset-for-leader-epoch.ts";
import { produceHandler } from "./produce.ts";
import { saslAuthenticateHandler, saslHandshakeHandler } from "./sasl.ts";
import { updateFeaturesHandler } from "./update-features.ts";

const HANDLERS = [
  produceHandler,
  fetchHandler,
  listOffsetsHandler,
  metadataHandler,
  createTopicsHandler,
  deleteTopicsHandler,
  deleteRecordsHandler,
  createPartitionsHandler,
  describeClusterHandler,
  alterClientQuotasHandler,
  alterConfigsHandler,
  alterPartitionReassignmentsHandler,
  alterReplicaLogDirsHandler,
  alterUserScramCredentialsHandler,
  createAclsHandler,
  deleteAclsHandler,
  describeAclsHandler,
  describeClientQuotasHandler,
  describeConfigsHandler,
  describeLogDirsHandler,
  describeProducersHandler,
  describeQuorumHandler,
  describeTopicPartitionsHandler,
  describeUserScramCredentialsHandler,
  electLeadersHandler,
  incrementalAlterConfigsHandler,
  listConfigResourcesHandler,
  listPartitionReassignmentsHandler,
  offsetForLeaderEpochHandler,
  saslAuthenticateHandler,
  saslHandshakeHandler,
  updateFeaturesHandler,
] as const;

/** By API key, with those of the coordinators among them; ApiVersions announces exactly these. */
export function brokerHandlers(deps: HandlerDeps, others: readonly Handler[]): ReadonlyMap<number, Handler> {
  const handlers = new Map<number, Handler>();
  for (const made of [...HANDLERS.map((make) => make(deps)), ...others]) handlers.set(made.api.key, made);
  const versions = apiVersionsHandler(deps, () => handlers.values());
  return handlers.set(versions.api.key, versions);
}
