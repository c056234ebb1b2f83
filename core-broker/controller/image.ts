/**
 * The cluster's metadata as it stands after a number of records: what every handler reads. Only `replay` (replay.ts) changes
 * it; everybody else sees read-only views.
 */
export interface PartitionImage {
  readonly partition: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly directories: readonly string[];
}
export interface TopicImage {
  readonly name: string;
  /** 22 characters of base64url. */
  readonly id: string;
  /** By partition number, without gaps. */
  readonly partitions: readonly PartitionImage[];
}
interface EndpointImage {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly securityProtocol: number;
}
export interface BrokerImage {
  readonly id: number;
  readonly incarnationId: string;
  readonly epoch: number;
  readonly endpoints: readonly EndpointImage[];
  readonly rack: string | null;
  readonly fenced: boolean;
}
export interface AclImage {
  readonly id: string;
  readonly resourceType: number;
  readonly resourceName: string;
  readonly patternType: number;
  readonly principal: string;
  readonly host: string;
  readonly operation: number;
  readonly permissionType: number;
}
export interface ScramImage {
  readonly user: string;
  readonly mechanism: number;
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
  readonly iterations: number;
}
export interface QuotaEntityPart {
  readonly entityType: string;
  /** Null: the default entity. */
  readonly entityName: string | null;
}
export interface QuotaImage {
  readonly entity: readonly QuotaEntityPart[];
  readonly values: ReadonlyMap<string, number>;
}
/** Kafka's codes of resources that have settings. */
export const ResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const;

export interface MetadataImage {
  /** Offset of the last record in it; -1: none. */
  readonly offset: number;
  readonly topics: ReadonlyMap<string, TopicImage>;
  readonly topicsById: ReadonlyMap<string, TopicImage>;
  /** Grows with each change of a topic or its partitions. */
  readonly topicsVersion: number;
  readonly features: ReadonlyMap<string, number>;
  readonly brokers: ReadonlyMap<number, BrokerImage>;
  /** First producer id that was never given out. */
  readonly nextProducerId: number;
  readonly acls: ReadonlyMap<string, AclImage>;
  /** Grows with each change of an ACL. */
  readonly aclsVersion: number;
  readonly scram: ReadonlyMap<string, ScramImage>;
  readonly quotas: ReadonlyMap<string, QuotaImage>;
  /** Overrides of one resource; empty where there are none. */
  configs(resourceType: number, resourceName: string): ReadonlyMap<string, string>;
  /** The resources of this type that have overrides. */
  configured(resourceType: number): readonly string[];
}

const NONE: ReadonlyMap<string, string> = new Map();
/** The image's mutable self, for replay only. */
export class MutableImage implements MetadataImage {
  offset = -1;
  topicsVersion = 0;
  aclsVersion = 0;
  nextProducerId = 0;
  readonly topics = new Map<string, TopicImage>();
  readonly topicsById = new Map<string, TopicImage>();
  readonly features = new Map<string, number>();
  readonly brokers = new Map<number, BrokerImage>();
  readonly acls = new Map<string, AclImage>();
  readonly scram = new Map<string, ScramImage>();
  readonly quotas = new Map<string, { entity: readonly QuotaEntityPart[]; values: Map<string, number> }>();
  readonly configsByType = new Map<number, Map<string, Map<string, string>>>();
  configs(resourceType: number, resourceName: string): ReadonlyMap<string, string> {
    return this.configsByType.get(resourceType)?.get(resourceName) ?? NONE;
  }
  configured(resourceType: number): readonly string[] {
    return [...(this.configsByType.get(resourceType)?.keys() ?? [])];
  }
}
export const scramKey = (user: string, mechanism: number): string => `${mechanism}:${user}`;
export const quotaKey = (entity: readonly QuotaEntityPart[]): string =>
  JSON.stringify(entity.map((part) => [part.entityType, part.entityName]).sort((a, b) => String(a[0]).localeCompare(String(b[0]))));
