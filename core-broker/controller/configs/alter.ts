/** AlterConfigs and IncrementalAlterConfigs as commands: per resource the settings afterwards, checked, and the records to get there. */
import { ErrorCode } from "../../protocol/errors.ts";
import { configRecord } from "../../protocol/state/metadata-records.ts";
import { type MetadataImage, ResourceType } from "../image.ts";
import { metadataRecord, type MetadataRecord } from "../metadata-record.ts";
import type { CommandResult, Refusal } from "../topics.ts";
import { BROKER_KEYS } from "./broker-keys.ts";
import { CLIENT_METRICS_KEYS } from "./client-metrics-keys.ts";
import type { ConfigKey } from "./config-key.ts";
import { GROUP_KEYS } from "./group-keys.ts";
import { brokerRefusal } from "./broker-refusal.ts";
import { clientMetricsRefusal, groupRefusal } from "./resource-config.ts";
import { changedList, topicConfigRefusal, topicKeys } from "./topic-config.ts";

export const ConfigOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const;
const OPERATION_NAMES = ["SET", "DELETE", "APPEND", "SUBTRACT"];

interface ConfigChange {
  readonly name: string;
  readonly operation: number;
  readonly value: string | null;
}
export interface ResourceChange {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly changes: readonly ConfigChange[];
  /** What is not named goes back to its default (the old AlterConfigs). */
  readonly replace: boolean;
}
export interface AlterContext {
  readonly image: MetadataImage;
  readonly nodeId: number;
  /** Settings of this broker, for bounds on a group's. */
  readonly brokerValue: (name: string) => string | null;
  /** The value that an APPEND starts from where the resource has none of its own. */
  readonly inherited: (resourceType: number, name: string) => string | null;
}
const refuse = (errorCode: number, errorMessage: string): Refusal => ({ errorCode, errorMessage });
const keysByType: Readonly<Record<number, ReadonlyMap<string, ConfigKey>>> = {
  [ResourceType.TOPIC]: topicKeys,
  [ResourceType.BROKER]: new Map(BROKER_KEYS.map((key) => [key.name, key])),
  [ResourceType.GROUP]: new Map(GROUP_KEYS.map((key) => [key.name, key])),
  [ResourceType.CLIENT_METRICS]: new Map(CLIENT_METRICS_KEYS.map((key) => [key.name, key])),
};

/** One outcome per resource, in the order of the request. */
export function alterConfigs(context: AlterContext, resources: readonly ResourceChange[]): CommandResult<readonly Refusal[]> {
  const records: MetadataRecord[] = [];
  const counts = new Map<string, number>();
  const idOf = ({ resourceType, resourceName }: ResourceChange): string => `${resourceType}:${resourceName}`;
  for (const resource of resources) counts.set(idOf(resource), (counts.get(idOf(resource)) ?? 0) + 1);
  const response = resources.map((resource) => {
    if ((counts.get(idOf(resource)) ?? 0) > 1) return refuse(ErrorCode.INVALID_REQUEST, "Each resource must appear at most once.");
    const outcome = alterOne(context, resource);
    if ("errorCode" in outcome) return outcome;
    records.push(...outcome.records);
    return { errorCode: ErrorCode.NONE, errorMessage: null };
  });
  return { records, response };
}
function alterOne(context: AlterContext, resource: ResourceChange): Refusal | { records: readonly MetadataRecord[] } {
  const bad = resourceRefusal(context, resource) ?? shapeRefusal(resource);
  if (bad !== null) return bad;
  const before = context.image.configs(resource.resourceType, resource.resourceName);
  const after = resource.replace ? new Map<string, string>() : new Map(before);
  for (const change of resource.changes) {
    const refusal = apply(context, resource, change, after);
    if (refusal !== null) return refusal;
  }
  const refusal = valuesRefusal(context, resource, after);
  if (refusal !== null) return refusal;
  const records: MetadataRecord[] = [];
  const put = (name: string, value: string | null): void => {
    const { resourceType, resourceName } = resource;
    records.push(metadataRecord(configRecord, { resourceType, resourceName, name, value }));
  };
  for (const name of before.keys()) if (!after.has(name)) put(name, null);
  // A broker's setting is written even if it stays what it was: the file that it names may be another one now.
  const said = new Set(resource.resourceType === ResourceType.BROKER ? resource.changes.map(({ name }) => name) : []);
  for (const [name, value] of after) if (before.get(name) !== value || said.has(name)) put(name, value);
  return { records };
}
/** Whether the resource may have settings at all. */
function resourceRefusal({ image, nodeId }: AlterContext, { resourceType, resourceName }: ResourceChange): Refusal | null {
  switch (resourceType) {
    case ResourceType.TOPIC:
      return image.topics.has(resourceName)
        ? null
        : refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${resourceName}' does not exist.`);
    case ResourceType.BROKER: {
      if (resourceName === "" || resourceName === String(nodeId)) return null;
      const why = `Unexpected broker id, expected ${nodeId} or empty string, but received ${resourceName}`;
      return refuse(ErrorCode.INVALID_REQUEST, why);
    }
    case ResourceType.GROUP:
      return resourceName === "" ? refuse(ErrorCode.INVALID_REQUEST, "Default group resources are not allowed.") : null;
    case ResourceType.CLIENT_METRICS:
      return resourceName === "" ? refuse(ErrorCode.INVALID_REQUEST, "Subscription name can't be empty") : null;
    default:
      return refuse(ErrorCode.INVALID_REQUEST, `Unexpected resource type ${resourceType}.`);
  }
}
function shapeRefusal({ changes }: ResourceChange): Refusal | null {
  if (new Set(changes.map(({ name }) => name)).size < changes.length) {
    return refuse(ErrorCode.INVALID_REQUEST, "Error due to duplicate config keys");
  }
  const nulls = changes.filter(({ operation, value }) => operation !== ConfigOperation.DELETE && value === null).map(({ name }) => name);
  if (nulls.length > 0) return refuse(ErrorCode.INVALID_REQUEST, `Null value not supported for : ${nulls.join(",")}`);
  const unknown = changes.find(({ operation }) => OPERATION_NAMES[operation] === undefined);
  return unknown === undefined ? null : refuse(ErrorCode.INVALID_REQUEST, `Unknown operation type ${unknown.operation}`);
}
function apply(context: AlterContext, resource: ResourceChange, change: ConfigChange, after: Map<string, string>): Refusal | null {
  const { name, operation } = change;
  const value = change.value ?? "";
  if (operation === ConfigOperation.DELETE) after.delete(name);
  else if (operation === ConfigOperation.SET) after.set(name, value);
  else {
    if (keysByType[resource.resourceType]?.get(name)?.type !== "LIST") {
      const why = `Can't ${OPERATION_NAMES[operation]} to key ${name} because its type is not LIST.`;
      return refuse(ErrorCode.INVALID_CONFIG, why);
    }
    const now = after.get(name) ?? context.inherited(resource.resourceType, name) ?? "";
    after.set(name, changedList(now, operation === ConfigOperation.APPEND ? "append" : "subtract", value));
  }
  return null;
}
function valuesRefusal(context: AlterContext, resource: ResourceChange, after: ReadonlyMap<string, string>): Refusal | null {
  if (resource.resourceType === ResourceType.BROKER) {
    // What is taken back is not looked at: whatever its name, it ends as the file has it.
    const set = resource.changes.filter(({ operation }) => operation !== ConfigOperation.DELETE);
    const named = new Map(set.map(({ name, value }) => [name, value]));
    const why = brokerRefusal(named, resource.resourceName === "", context.brokerValue);
    return why === null ? null : refuse(ErrorCode.INVALID_REQUEST, why);
  }
  if (resource.resourceType === ResourceType.CLIENT_METRICS) {
    const bad = clientMetricsRefusal(after);
    return bad === null ? null : refuse(bad.kind === "config" ? ErrorCode.INVALID_CONFIG : ErrorCode.INVALID_REQUEST, bad.why);
  }
  const why = resource.resourceType === ResourceType.TOPIC ? topicConfigRefusal(after) : groupRefusal(after, context.brokerValue);
  return why === null ? null : refuse(ErrorCode.INVALID_CONFIG, why);
}
