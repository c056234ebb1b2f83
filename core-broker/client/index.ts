/** The Kafka client: producer, consumer, admin, group membership; over any Kafka from 2.1 on. */
import { createAdmin } from "./admin/admin.ts";
import { KafkaConsumer } from "./consumer/consumer.ts";
import { type ClientDeps, defaultDeps } from "./deps.ts";
import { KafkaGroupMembership } from "./group/membership.ts";
import { KafkaProducer } from "./producer/producer.ts";
import type { Admin, ClientConfig, Consumer, GroupMembership, GroupMembershipOptions, KafkaClients, Producer } from "./types.ts";

/** The factories only check the configuration (INVALID_CONFIG); connections are made on first use. */
export function createKafkaClients(deps: Partial<ClientDeps> = {}): KafkaClients {
  const given = defaultDeps(deps);
  return {
    producer: (config) => createProducer(config, given),
    consumer: (config) => createConsumer(config, given),
    admin: (config) => createAdminClient(config, given),
    groupMembership: (config, options) => createGroupMembership(config, options, given),
  };
}
export async function createProducer(config: ClientConfig, deps: Partial<ClientDeps> = {}): Promise<Producer> {
  return new KafkaProducer(config, defaultDeps(deps));
}
export async function createConsumer(config: ClientConfig, deps: Partial<ClientDeps> = {}): Promise<Consumer> {
  return new KafkaConsumer(config, defaultDeps(deps));
}
export async function createAdminClient(config: ClientConfig, deps: Partial<ClientDeps> = {}): Promise<Admin> {
  return createAdmin(config, defaultDeps(deps));
}
export async function createGroupMembership(
  config: ClientConfig,
  options: GroupMembershipOptions,
  deps: Partial<ClientDeps> = {},
): Promise<GroupMembership> {
  return new KafkaGroupMembership(config, options, defaultDeps(deps));
}
