/** What the client knows of the cluster: brokers, topics, leaders. Fed with Metadata responses; asks nobody itself. */
import { ErrorCode } from "../protocol/errors.ts";
import type { MetadataResponse } from "../protocol/messages/index.ts";
import { ZERO_UUID } from "../protocol/schema.ts";
import type { Endpoint } from "./config.ts";

interface PartitionMetadata {
  readonly partition: number;
  /** -1: none now. */
  readonly leader: number;
  /** -1: the broker is too old to say. */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}
export interface TopicMetadata {
  readonly name: string;
  /** ZERO_UUID: the broker is too old for topic ids. */
  readonly id: string;
  readonly internal: boolean;
  /** By partition number. */
  readonly partitions: readonly PartitionMetadata[];
}

export class MetadataCache {
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #namesById = new Map<string, string>();
  readonly #errors = new Map<string, number>();
  #brokers: ReadonlyMap<number, Endpoint> = new Map();
  clusterId: string | null = null;
  controllerId = -1;

  get brokers(): ReadonlyMap<number, Endpoint> {
    return this.#brokers;
  }
  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }
  topicNames(): string[] {
    return [...this.#topics.keys()];
  }
  nameOfId(id: string): string | undefined {
    return this.#namesById.get(id);
  }
  /** Why the topic is missing, as the broker said last; NONE when it was never asked for. */
  errorOf(name: string): number {
    return this.#errors.get(name) ?? ErrorCode.NONE;
  }
  leaderOf(topic: string, partition: number): number {
    return this.#topics.get(topic)?.partitions[partition]?.leader ?? -1;
  }
  /** `all`: the answer lists every topic, so what it lacks is gone. Topics that failed for now keep their old entry. */
  apply(response: MetadataResponse, all: boolean): void {
    this.#brokers = new Map(response.brokers.map((broker) => [broker.nodeId, { host: broker.host, port: broker.port }]));
    this.clusterId = response.clusterId;
    this.controllerId = response.controllerId;
    const seen = new Set<string>();
    for (const answer of response.topics) {
      if (answer.name === null) continue;
      seen.add(answer.name);
      this.#errors.set(answer.name, answer.errorCode);
      if (answer.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) this.#drop(answer.name);
      if (answer.errorCode !== ErrorCode.NONE) continue;
      const before = this.#topics.get(answer.name);
      const partitions: PartitionMetadata[] = [];
      for (const each of answer.partitions) {
        const next: PartitionMetadata = {
          partition: each.partitionIndex,
          leader: each.leaderId,
          leaderEpoch: each.leaderEpoch,
          replicas: each.replicaNodes,
          isr: each.isrNodes,
        };
        const known = before?.id === answer.topicId ? before.partitions[each.partitionIndex] : undefined;
        // An answer of a broker that lags behind must not lead back to a leader of the past (KIP-320).
        partitions[each.partitionIndex] = known !== undefined && known.leaderEpoch > next.leaderEpoch ? known : next;
      }
      if (before !== undefined && before.id !== answer.topicId) this.#namesById.delete(before.id);
      this.#topics.set(answer.name, { name: answer.name, id: answer.topicId, internal: answer.isInternal, partitions });
      if (answer.topicId !== ZERO_UUID) this.#namesById.set(answer.topicId, answer.name);
    }
    if (all) for (const name of this.topicNames()) if (!seen.has(name)) this.#drop(name);
  }
  #drop(name: string): void {
    const known = this.#topics.get(name);
    if (known !== undefined) this.#namesById.delete(known.id);
    this.#topics.delete(name);
  }
}
