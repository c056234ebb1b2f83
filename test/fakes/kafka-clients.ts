/** KafkaClients over a FakeCluster. Enough of Kafka for the worker, the stores and their tests; no wire, no time of its own. */
import type { Admin, ClientConfig, Consumer, KafkaClients } from "#broker/client/types";
import { ErrorCode, KafkaError } from "#broker/protocol/errors";
import { FakeConsumer } from "./fake-consumer.ts";
import { FakeProducer } from "./fake-producer.ts";
import type { FakeCluster } from "./kafka-cluster.ts";

function fakeAdmin(cluster: FakeCluster): Admin {
  return {
    clusterId: async () => "fake",
    async createTopics(topics) {
      return new Map(topics.map((t) => [t.name, cluster.create(t)]));
    },
    async deleteTopics(names) {
      for (const name of names) cluster.topics.delete(name);
    },
    async describeTopics(names) {
      const found = new Map();
      for (const name of names) {
        const topic = cluster.topics.get(name);
        if (topic === undefined) continue;
        const partitions = topic.partitions.map((_log, partition) => ({ partition, leader: 1, replicas: [1], isr: [1] }));
        found.set(name, { name, id: name, internal: false, partitions });
      }
      return found;
    },
    listTopics: async () => [...cluster.topics.keys()],
    async describeTopicConfigs(name) {
      return new Map(Object.entries(cluster.topic(name).configs).map(([k, value]) => [k, { value, isDefault: false }]));
    },
    async alterTopicConfigs(name, set) {
      Object.assign(cluster.topic(name).configs, set);
    },
    endOffsets: async (partitions) => partitions.map((p) => cluster.end(p)),
    beginningOffsets: async (partitions) => partitions.map(() => 0),
    recordTimes: async (partitions) => partitions.map(() => null),
    groupOffsets: async (group) => [...cluster.offsetsOf(group).values()],
    async alterGroupOffsets(group, offsets) {
      if ((cluster.groups.get(group) ?? []).length > 0) throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID);
      for (const o of offsets) {
        if (cluster.topic(o.topic).partitions[o.partition] === undefined) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      }
      cluster.commit(group, offsets);
    },
    async deleteGroupOffsets(group, partitions) {
      for (const p of partitions) cluster.offsetsOf(group).delete(`${p.topic}-${p.partition}`);
    },
    async removeMembers() {
      return 0;
    },
    async deleteGroup(group) {
      if (!cluster.committed.delete(group)) throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND);
    },
    fenceProducers: async () => {},
    close: async () => {},
  };
}

export interface FakeClients extends KafkaClients {
  /** Configurations of every client made, newest last. */
  readonly configs: { readonly kind: "producer" | "consumer" | "admin"; readonly config: ClientConfig }[];
  readonly producers: FakeProducer[];
}
export function fakeKafkaClients(cluster: FakeCluster): FakeClients {
  const configs: FakeClients["configs"] = [];
  const producers: FakeProducer[] = [];
  return {
    configs,
    producers,
    async producer(config) {
      configs.push({ kind: "producer", config });
      const producer = new FakeProducer(cluster, config);
      producers.push(producer);
      return producer;
    },
    async consumer(config): Promise<Consumer> {
      configs.push({ kind: "consumer", config });
      return new FakeConsumer(cluster, config);
    },
    async admin(config) {
      configs.push({ kind: "admin", config });
      return fakeAdmin(cluster);
    },
    groupMembership: () => Promise.reject(new Error("the fake cluster has no worker groups")),
  };
}
