/** Client quotas (KIP-546): kept and told; not enforced yet. */
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { clientQuotaRecord } from "../protocol/state/metadata-records.ts";
import { isIP } from "node:net";
import type { MetadataImage, QuotaEntityPart, QuotaImage } from "./image.ts";
import { metadataRecord, type MetadataRecord } from "./metadata-record.ts";
import type { CommandResult, Refusal } from "./topics.ts";

const USER_KEYS = ["producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate"];
const IP_KEYS = ["connection_creation_rate"];
/** Rates in whole bytes or connections; the others may have fractions. */
const WHOLE: ReadonlySet<string> = new Set(["producer_byte_rate", "consumer_byte_rate", "connection_creation_rate"]);
const TYPES = ["user", "client-id", "ip"];

export interface QuotaChange {
  readonly entity: readonly QuotaEntityPart[];
  readonly ops: readonly { readonly key: string; readonly value: number; readonly remove: boolean }[];
}
const invalid = (errorMessage: string): Refusal => ({ errorCode: ErrorCode.INVALID_REQUEST, errorMessage });

export function alterQuotas(changes: readonly QuotaChange[]): CommandResult<readonly Refusal[]> {
  const records: MetadataRecord[] = [];
  const response = changes.map(({ entity, ops }) => {
    const refusal = entityRefusal(entity) ?? ops.map((op) => opRefusal(entity, op)).find((found) => found !== null);
    if (refusal) return refusal;
    for (const { key, value, remove } of ops) records.push(metadataRecord(clientQuotaRecord, { entity, key, value, remove }));
    return { errorCode: ErrorCode.NONE, errorMessage: null };
  });
  return { records, response };
}
function entityRefusal(entity: readonly QuotaEntityPart[]): Refusal | null {
  if (entity.length === 0) return invalid("Invalid empty client quota entity");
  const types = entity.map(({ entityType }) => entityType);
  const unknown = types.find((type) => !TYPES.includes(type));
  if (unknown !== undefined) return invalid(`Unhandled client quota entity type: ${unknown}`);
  if (new Set(types).size < types.length) return invalid("Invalid client quota entity: an entity type comes twice");
  if (types.includes("ip") && types.length > 1)
    return invalid("Invalid quota entity combination, IP entity should not be combined with User or ClientId");
  for (const { entityType, entityName } of entity) {
    if (entityName === "") return invalid(`Empty ${entityType} not supported`);
    if (entityType === "ip" && entityName !== null && isIP(entityName) === 0) {
      return invalid(`${entityName} is not a valid IP or resolvable host.`);
    }
  }
  return null;
}
function opRefusal(entity: readonly QuotaEntityPart[], { key, value, remove }: QuotaChange["ops"][number]): Refusal | null {
  const keys = entity.some(({ entityType }) => entityType === "ip") ? IP_KEYS : USER_KEYS;
  if (!keys.includes(key)) return invalid(`Invalid configuration key ${key}`);
  if (remove) return null;
  if (!(value > 0)) return invalid(`Quota ${key} must be greater than 0`);
  return WHOLE.has(key) && !Number.isInteger(value) ? invalid(`${key} cannot be a fractional value.`) : null;
}

/** matchType: 0 exactly this name, 1 the default entity, 2 any name. */
export interface QuotaFilterComponent {
  readonly entityType: string;
  readonly matchType: number;
  readonly match: string | null;
}
/** Strict: entities with parts that the filter does not name do not match. Throws KafkaError for a filter that cannot be. */
export function findQuotas(image: MetadataImage, components: readonly QuotaFilterComponent[], strict: boolean): readonly QuotaImage[] {
  const seen = new Set<string>();
  for (const { entityType, matchType } of components) {
    if (!TYPES.includes(entityType)) throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION, `Unsupported entity type ${entityType}`);
    if (seen.has(entityType))
      throw new KafkaError(ErrorCode.INVALID_REQUEST, `Entity type ${entityType} cannot appear more than once in the filter.`);
    if (matchType < 0 || matchType > 2) throw new KafkaError(ErrorCode.INVALID_REQUEST, `Unknown match type ${matchType}`);
    seen.add(entityType);
  }
  if (seen.has("ip") && seen.size > 1) {
    throw new KafkaError(
      ErrorCode.INVALID_REQUEST,
      "Invalid entity filter component combination, IP filter component should not be used with user or clientId filter component.",
    );
  }
  return [...image.quotas.values()].filter(({ entity }) => {
    if (strict && entity.length !== components.length) return false;
    return components.every(({ entityType, matchType, match }) => {
      const part = entity.find((candidate) => candidate.entityType === entityType);
      return part !== undefined && (matchType === 2 || part.entityName === (matchType === 1 ? null : match));
    });
  });
}
