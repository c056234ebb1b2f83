/** What the handlers of topics, data and settings ask. */
import type { Clock } from "../base/clock.ts";
import type { LogLevels } from "../base/log-levels.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { EffectiveConfig } from "../controller/configs/effective.ts";
import type { Controller } from "../controller/controller.ts";
import type { NewTopicSpec, TopicDefaults } from "../controller/topics.ts";
import type { WriteAdmission } from "../coordinator/transaction/write-admission.ts";
import type { TransactionalWrite } from "../coordinator/types.ts";
import type { ClientQuotas } from "../quota/client-quotas.ts";
import type { LogManager } from "../replication/types.ts";

interface RefusalCounts {
  failedAppends: number;
  failedReads: number;
  rejectedBytes: number;
}
export interface BrokerEndpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}
/** The part of the broker's settings that handlers look at. */
interface HandlerConfig {
  readonly nodeId: number;
  readonly autoCreateTopics: boolean;
  readonly deleteTopics: boolean;
  readonly fetchMaxBytes: number;
  readonly fetchSessionsMax: number;
  /** There is an authorizer: ACLs mean something. */
  readonly authorizes: boolean;
}
export interface HandlerDeps {
  readonly config: HandlerConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly logLevels: LogLevels;
  /** What was refused, counted for the metrics. */
  readonly refusals: RefusalCounts;
  readonly clusterId: string;
  readonly controller: Controller;
  readonly effective: EffectiveConfig;
  readonly logs: LogManager;
  readonly quotas: ClientQuotas;
  readonly topicDefaults: TopicDefaults;
  /** The brokers that can be reached through this listener. */
  brokers(listener: string): readonly BrokerEndpoint[];
  /** How a topic that is created automatically looks: state topics have their own settings. */
  automaticTopic(name: string): NewTopicSpec;
  /** Why the broker could not serve TLS with these settings; null: it could. */
  tlsRefusal(changes: ReadonlyMap<string, string | null>): string | null;
  /** The transaction coordinator's word on a transactional write. */
  admitWrite(write: TransactionalWrite): Promise<WriteAdmission>;
}
