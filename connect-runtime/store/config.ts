/** The config store of distributed mode: the config topic, followed, and written by the leader only. */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { ClientConfig, KafkaClients, NewTopic, Producer } from "#broker/client/types";
import { ConfigError } from "../api/errors.ts";
import type { ConfigMap, TargetState } from "../worker/types.ts";
import {
  commitRecord,
  connectorRecord,
  fencingRecord,
  type KeyValue,
  loggerRecord,
  parseConfigRecord,
  restartRecord,
  type RestartRequest,
  type SessionKey,
  sessionKeyRecord,
  targetRecord,
  taskRecord,
} from "./config-records.ts";
import { type ConfigChange, ConfigFold, type ConfigState } from "./config-state.ts";
import type { SkippedRecords } from "./skipped-records.ts";
import { openTopicLog, type TopicLog } from "./topic-log.ts";

export interface ConfigStore {
  /** What has been applied so far. */
  snapshot(): ConfigState;
  /** Applies everything that is in the store now. Throws ConnectError on timeout. */
  refresh(timeoutMs?: number): Promise<void>;
  /**
   * Becomes the only one who may write, and ends what a former leader had begun to write; needed before a write when exactly-once is
   * on (KIP-618), and again after another worker has been leader.
   */
  claimWritePrivileges(): Promise<void>;
  /** All writes resolve after the store has read them back. */
  putConnector(connector: string, properties: ConfigMap, target: TargetState | null): Promise<void>;
  removeConnector(connector: string): Promise<void>;
  putTaskConfigs(connector: string, configs: readonly ConfigMap[]): Promise<void>;
  putTarget(connector: string, state: TargetState): Promise<void>;
  putTaskCountRecord(connector: string, taskCount: number): Promise<void>;
  putSessionKey(key: SessionKey): Promise<void>;
  putRestart(request: RestartRequest): Promise<void>;
  putLoggerLevel(namespace: string, level: string): Promise<void>;
  close(): Promise<void>;
}
export interface ConfigStoreOptions {
  readonly clients: KafkaClients;
  readonly topic: NewTopic;
  readonly adminConfig: ClientConfig;
  readonly producerConfig: ClientConfig;
  readonly consumerConfig: ClientConfig;
  /** Not null: writes that only the leader may do go through a producer with this transactional id. */
  readonly transactionalId: string | null;
  /** Changes that arrive after `open` has read the topic to its end. Must not throw. */
  readonly changed: (change: ConfigChange) => void;
  readonly skipped: SkippedRecords;
  readonly clock: Clock;
  readonly log: Logger;
}

export async function openConfigStore(options: ConfigStoreOptions): Promise<ConfigStore> {
  const fold = new ConfigFold();
  let started = false;
  const log = await openTopicLog({
    ...options,
    setting: "config.storage.topic",
    purpose: "connector configurations",
    consumerConfig:
      options.transactionalId === null ? options.consumerConfig : { ...options.consumerConfig, "isolation.level": "read_committed" },
    apply: (record) => {
      const parsed = parseConfigRecord(record.key, record.value);
      if (parsed === null && record.value !== null) options.skipped.note(record, "is no configuration");
      const change = fold.apply(parsed, record.offset);
      if (started && change !== null) options.changed(change);
    },
  });
  started = true;
  if (log.partitions !== 1) {
    await log.close();
    throw new ConfigError(
      `Topic '${log.topic}' supplied via the 'config.storage.topic' property is required to have a single partition in order to guarantee ` +
        `consistency of connector configurations, but found ${log.partitions} partitions.`,
    );
  }
  return topicConfigStore(options, log, fold);
}

function topicConfigStore(options: ConfigStoreOptions, log: TopicLog, fold: ConfigFold): ConfigStore {
  let privileged: Producer | null = null;
  const claimWritePrivileges = async (): Promise<void> => {
    if (options.transactionalId === null) return;
    await privileged?.close(0);
    privileged = null;
    const producer = await options.clients.producer({
      "linger.ms": "0",
      ...options.producerConfig,
      "enable.idempotence": "true",
      "transactional.id": options.transactionalId,
    });
    await producer.initTransactions();
    await producer.partitions(log.topic);
    privileged = producer;
  };
  const sendPrivileged = async (records: readonly KeyValue[]): Promise<void> => {
    if (options.transactionalId === null) {
      await Promise.all(records.map((r) => log.send(r.key, r.value)));
      return;
    }
    if (privileged === null) await claimWritePrivileges();
    // The assignment happens in a function: the compiler cannot see it.
    const producer = privileged as Producer | null;
    if (producer === null) return;
    try {
      producer.beginTransaction();
      for (const r of records) producer.append(log.topic, 0, r.key, r.value, options.clock.now(), []);
      await producer.commitTransaction();
    } catch (error) {
      // Whatever happened, the next write has to claim the right again.
      privileged = null;
      await producer.close(0);
      throw error;
    }
  };
  const written = async (records: readonly KeyValue[]): Promise<void> => {
    await sendPrivileged(records);
    await log.readToEnd();
  };
  return {
    snapshot: () => fold.snapshot(),
    refresh: (timeoutMs) => log.readToEnd(timeoutMs),
    claimWritePrivileges,
    putConnector: (connector, properties, target) =>
      written([...(target === null ? [] : [targetRecord(connector, target)]), connectorRecord(connector, properties)]),
    removeConnector: (connector) => written([connectorRecord(connector, null), targetRecord(connector, null)]),
    async putTaskConfigs(connector, configs) {
      if (configs.length > 0) await written(configs.map((config, task) => taskRecord(connector, task, config)));
      await written([commitRecord(connector, configs.length)]);
    },
    async putTarget(connector, state) {
      const r = targetRecord(connector, state);
      await log.send(r.key, r.value);
      await log.readToEnd();
    },
    putTaskCountRecord: (connector, count) => written([fencingRecord(connector, count)]),
    putSessionKey: (key) => written([sessionKeyRecord(key)]),
    putRestart: (request) => written([restartRecord(request)]),
    async putLoggerLevel(namespace, level) {
      const r = loggerRecord(namespace, level);
      await log.send(r.key, r.value);
    },
    async close() {
      await privileged?.close();
      await log.close();
    },
  };
}
