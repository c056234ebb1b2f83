/** Topics: create, delete, describe, list. Sent to the controller that metadata names (any broker under KRaft). */
import { ErrorCode, errorName, isRetriable, KafkaError } from "../../protocol/errors.ts";
import { createTopics as createTopicsApi, deleteTopics as deleteTopicsApi, metadata } from "../../protocol/messages/index.ts";
import type { Api } from "../../protocol/schema.ts";
import type { Body, Cluster } from "../cluster.ts";
import type { Answer } from "../connection.ts";
import { retrying } from "../retry.ts";
import type { NewTopic, TopicDescription } from "../types.ts";

const VISIBLE_MS_MAX = 5000;

export async function sendToController<A extends Api>(cluster: Cluster, api: A, body: Body<A>): Promise<Answer<A>> {
  await cluster.awaitBrokers(cluster.config.defaultApiTimeoutMs);
  const controller = cluster.metadata.controllerId;
  return cluster.endpointOf(controller) === undefined ? cluster.sendToAny(api, body) : cluster.send(controller, api, body);
}
const refreshAfter = (cluster: Cluster) => (): void => {
  // Only ahead of time: whoever needs the metadata asks again and meets the failure.
  cluster.refresh().catch(() => {});
};

/** false in the answer: the topic was there already. Throws the first other error; what was created stays. */
export async function createTopics(cluster: Cluster, topics: readonly NewTopic[]): Promise<ReadonlyMap<string, boolean>> {
  const outcome = new Map<string, boolean>();
  const timeoutMs = cluster.config.defaultApiTimeoutMs;
  const attempt = async (): Promise<void> => {
    const open = topics.filter((topic) => !outcome.has(topic.name));
    if (open.length === 0) return;
    const { body } = await sendToController(cluster, createTopicsApi, (version) => ({
      topics: open.map((topic) => ({
        name: topic.name,
        // KIP-464: -1 means the broker's default, since v4; older brokers need a number.
        numPartitions: version < 4 && topic.partitions === -1 ? 1 : topic.partitions,
        replicationFactor: version < 4 && topic.replicationFactor === -1 ? 1 : topic.replicationFactor,
        configs: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
      })),
      timeoutMs: cluster.config.requestTimeoutMs,
    }));
    let failed: KafkaError | null = null;
    for (const answer of body.topics) {
      if (answer.errorCode === ErrorCode.NONE) outcome.set(answer.name, true);
      else if (answer.errorCode === ErrorCode.TOPIC_ALREADY_EXISTS) outcome.set(answer.name, false);
      else {
        const error = new KafkaError(
          answer.errorCode,
          `topic ${answer.name} could not be created: ${answer.errorMessage ?? errorName(answer.errorCode)}`,
        );
        // What will not heal is said first.
        if (failed === null || isRetriable(failed.code)) failed = error;
      }
    }
    if (failed !== null) throw failed;
  };
  await retrying(cluster, `creating ${topics.map((topic) => topic.name).join(", ")}`, timeoutMs, attempt, refreshAfter(cluster));
  await awaitVisible(cluster, topics);
  return outcome;
}
/** Brokers learn of a new topic a moment after the controller made it; callers want to use it at once. Never throws for being late. */
async function awaitVisible(cluster: Cluster, topics: readonly NewTopic[]): Promise<void> {
  const names = topics.map((topic) => topic.name);
  const visible = async (): Promise<void> => {
    const found = await describeTopics(cluster, names);
    const ready = names.every((name) => found.get(name)?.partitions.every((each) => each.leader >= 0) === true);
    if (!ready) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "not there yet");
  };
  const wait = Math.min(VISIBLE_MS_MAX, cluster.config.defaultApiTimeoutMs);
  await retrying(cluster, "waiting for new topics", wait, visible).catch((error: unknown) => {
    cluster.deps.logger.debug("new topics are not visible yet", { topics: names, reason: String(error) });
  });
}

/** Throws UNKNOWN_TOPIC_OR_PARTITION when one does not exist. */
export async function deleteTopics(cluster: Cluster, names: readonly string[]): Promise<void> {
  const deleted = new Set<string>();
  const unknown = new Set<string>();
  const attempt = async (): Promise<void> => {
    const open = names.filter((name) => !deleted.has(name));
    const { body } = await sendToController(cluster, deleteTopicsApi, (version) => ({
      ...(version >= 6 ? { topics: open.map((name) => ({ name })) } : { topicNames: open }),
      timeoutMs: cluster.config.requestTimeoutMs,
    }));
    for (const answer of body.responses) {
      const code = answer.errorCode;
      if (code === ErrorCode.NONE) deleted.add(answer.name ?? "");
      // Final here, although retriable elsewhere: what is to be deleted does not appear by waiting.
      else if (code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) unknown.add(answer.name ?? "");
      else throw new KafkaError(code, `topic ${answer.name ?? ""} could not be deleted: ${answer.errorMessage ?? errorName(code)}`);
    }
  };
  await retrying(cluster, `deleting ${names.join(", ")}`, cluster.config.defaultApiTimeoutMs, attempt, refreshAfter(cluster));
  if (unknown.size > 0) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `does not exist: topic ${[...unknown].join(", ")}`);
}

export async function describeTopics(cluster: Cluster, names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>> {
  const found = new Map<string, TopicDescription>();
  const attempt = async (): Promise<void> => {
    if (names.length === 0) return;
    const { body } = await cluster.sendToAny(metadata, (version) => ({
      topics: names.map((name) => ({ name })),
      ...(version >= 4 ? { allowAutoTopicCreation: false } : {}),
    }));
    for (const topic of body.topics) {
      const name = topic.name ?? "";
      if (topic.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) continue;
      if (topic.errorCode !== ErrorCode.NONE) throw new KafkaError(topic.errorCode, `topic ${name} could not be described`);
      const partitions = topic.partitions
        .map((each) => ({ partition: each.partitionIndex, leader: each.leaderId, replicas: each.replicaNodes, isr: each.isrNodes }))
        .sort((a, b) => a.partition - b.partition);
      found.set(name, { name, id: topic.topicId, internal: topic.isInternal, partitions });
    }
  };
  await retrying(cluster, "describing topics", cluster.config.defaultApiTimeoutMs, attempt);
  return found;
}

export async function listTopics(cluster: Cluster): Promise<readonly string[]> {
  return retrying(cluster, "listing topics", cluster.config.defaultApiTimeoutMs, async () => {
    const { body } = await cluster.sendToAny(metadata, (version) => ({ topics: version >= 1 ? null : [] }));
    return body.topics.flatMap((topic) => (topic.name === null || topic.errorCode !== ErrorCode.NONE ? [] : [topic.name]));
  });
}
