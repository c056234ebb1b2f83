/** Our own Kafka client, as a task thread loads it. */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { KafkaClients } from "#broker/client/types";
import { createKafkaClients } from "#broker/client/index";

export const kafkaClients = (clock: Clock, logger: Logger): KafkaClients => createKafkaClients({ clock, logger });
