/** The Kafka client: producer, consumer, admin, group membership; over any Kafka from 2.1 on. */
import { createAdmin } from "./admin/admin.ts";
import { KafkaConsumer } from "./consumer/consumer.ts";
import { type ClientDeps, defaultDeps } from "./deps.ts";
import { KafkaGroupMembership } from "./group/membership.ts";
import { KafkaProducer } from "./producer/producer.ts";
import type { KafkaClients } from "./types.ts";

/** The factories only check the configuration (they reject with INVALID_CONFIG); connections are made on first use. */
export function createKafkaClients(given: Partial<ClientDeps> = {}): KafkaClients {
  const deps = defaultDeps(given);
  return {
    producer: async (config) => new KafkaProducer(config, deps),
    consumer: async (config) => new KafkaConsumer(config, deps),
    admin: async (config) => createAdmin(config, deps),
    groupMembership: async (config, options) => new KafkaGroupMembership(config, options, deps),
  };
}
