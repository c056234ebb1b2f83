/** The coordinators' settings under Kafka's names, with Kafka 4.1's defaults. */
export interface CoordinatorConfig {
  readonly groupInitialRebalanceDelayMs: number;
  readonly groupMinSessionTimeoutMs: number;
  readonly groupMaxSessionTimeoutMs: number;
  readonly groupMaxSize: number;
  readonly offsetMetadataMaxBytes: number;
  readonly offsetsRetentionMs: number;
  readonly offsetsRetentionCheckIntervalMs: number;
  readonly transactionMaxTimeoutMs: number;
  readonly transactionalIdExpirationMs: number;
  readonly transactionTimeoutCheckIntervalMs: number;
  readonly transactionalIdExpirationCheckIntervalMs: number;
  readonly transactionPartitionVerification: boolean;
  readonly consumerGroupSessionTimeoutMs: number;
  readonly consumerGroupHeartbeatIntervalMs: number;
  readonly consumerGroupMaxSize: number;
  /** Server-side assignors, the first is the default. */
  readonly consumerGroupAssignors: readonly string[];
  /** group.coordinator.rebalance.protocols contains "consumer". */
  readonly consumerProtocol: boolean;
  /** Which groups with members change their protocol while they live: group.consumer.migration.policy. */
  readonly consumerMigration: { readonly upgrade: boolean; readonly downgrade: boolean };
}

/** `properties` are server.properties keys; what is missing or not a number gets the default (the broker's config has checked them). */
export function coordinatorConfig(properties: Readonly<Record<string, string | undefined>> = {}): CoordinatorConfig {
  const int = (name: string, fallback: number): number => {
    const value = Number(properties[name] ?? fallback);
    return Number.isFinite(value) ? value : fallback;
  };
  const list = (name: string, fallback: string): string[] =>
    (properties[name] ?? fallback)
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  return {
    groupInitialRebalanceDelayMs: int("group.initial.rebalance.delay.ms", 3000),
    groupMinSessionTimeoutMs: int("group.min.session.timeout.ms", 6000),
    groupMaxSessionTimeoutMs: int("group.max.session.timeout.ms", 1_800_000),
    groupMaxSize: int("group.max.size", 2_147_483_647),
    offsetMetadataMaxBytes: int("offset.metadata.max.bytes", 4096),
    offsetsRetentionMs: int("offsets.retention.minutes", 10_080) * 60_000,
    offsetsRetentionCheckIntervalMs: int("offsets.retention.check.interval.ms", 600_000),
    transactionMaxTimeoutMs: int("transaction.max.timeout.ms", 900_000),
    transactionalIdExpirationMs: int("transactional.id.expiration.ms", 604_800_000),
    transactionTimeoutCheckIntervalMs: int("transaction.abort.timed.out.transaction.cleanup.interval.ms", 10_000),
    transactionalIdExpirationCheckIntervalMs: int("transaction.remove.expired.transaction.cleanup.interval.ms", 3_600_000),
    transactionPartitionVerification: properties["transaction.partition.verification.enable"] !== "false",
    consumerGroupSessionTimeoutMs: int("group.consumer.session.timeout.ms", 45_000),
    consumerGroupHeartbeatIntervalMs: int("group.consumer.heartbeat.interval.ms", 5000),
    consumerGroupMaxSize: int("group.consumer.max.size", 2_147_483_647),
    consumerGroupAssignors: list("group.consumer.assignors", "uniform,range").map(shortAssignorName),
    consumerProtocol: list("group.coordinator.rebalance.protocols", "classic,consumer,streams").includes("consumer"),
    consumerMigration: migrationOf(properties["group.consumer.migration.policy"] ?? "bidirectional"),
  };
}

function migrationOf(policy: string): CoordinatorConfig["consumerMigration"] {
  const both = policy.toLowerCase() === "bidirectional";
  return { upgrade: both || policy.toLowerCase() === "upgrade", downgrade: both || policy.toLowerCase() === "downgrade" };
}

/** Kafka also takes the class name of its built-in assignors. */
const shortAssignorName = (name: string): string =>
  ({
    "org.apache.kafka.coordinator.group.assignor.UniformAssignor": "uniform",
    "org.apache.kafka.coordinator.group.assignor.RangeAssignor": "range",
  })[name] ?? name;
