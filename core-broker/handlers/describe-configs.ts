/**
 * DescribeConfigs (32), versions 1-4: settings of topics, this broker, all brokers (empty name), groups and metrics
 * subscriptions, with where each comes from, synonyms, type, and documentation. Passwords are never told.
 */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { configsRefusal } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { describeConfigs, type DescribeConfigsRequest, type DescribeConfigsResponse } from "../protocol/messages/describe-configs.ts";
import { CLIENT_METRICS_KEYS } from "../controller/configs/client-metrics-keys.ts";
import { CONFIG_TYPE_CODE, type ConfigKey } from "../controller/configs/config-key.ts";
import { ConfigSource, type EffectiveEntry, type SourcedValue } from "../controller/configs/effective.ts";
import { documentationOf } from "../controller/configs/documentation.ts";
import { GROUP_KEYS } from "../controller/configs/group-keys.ts";
import { ResourceType } from "../controller/image.ts";
import { topicNameRefusal } from "../controller/topic-name.ts";
import { describeLoggers } from "./broker-loggers.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

type Result = DescribeConfigsResponse["results"][number];
type Entry = Result["configs"][number];
type Resource = DescribeConfigsRequest["resources"][number];
interface Wishes {
  readonly synonyms: boolean;
  readonly documentation: boolean;
}
type Found = readonly Entry[] | { readonly errorCode: number; readonly errorMessage: string | null };

export const describeConfigsHandler = (deps: HandlerDeps): Handler =>
  handler(describeConfigs, (context, request) => ({
    results: request.resources.map((resource): Result => {
      const { resourceType, resourceName, configurationKeys } = resource;
      const found =
        configsRefusal(context, AclOperation.DESCRIBE_CONFIGS, resource) ??
        describe(deps, resource, { synonyms: request.includeSynonyms, documentation: request.includeDocumentation });
      if ("errorCode" in found) return { ...found, resourceType, resourceName, configs: [] };
      const wanted = configurationKeys === null || configurationKeys.length === 0 ? null : new Set(configurationKeys);
      const configs = found.filter(({ name }) => wanted === null || wanted.has(name));
      return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName, configs };
    }),
  }));

function describe(deps: HandlerDeps, { resourceType, resourceName }: Resource, wishes: Wishes): Found {
  const { controller, effective, config } = deps;
  const { image } = controller;
  switch (resourceType) {
    case ResourceType.TOPIC: {
      const bad = topicNameRefusal(resourceName);
      if (bad !== null) return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: bad };
      if (!image.topics.has(resourceName)) return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: "" };
      return effective.topic(image.configs(ResourceType.TOPIC, resourceName)).map((entry) => entryOf(entry, false, wishes));
    }
    case ResourceType.BROKER: {
      if (resourceName === "") return allBrokers(deps, wishes);
      if (resourceName === String(config.nodeId)) return oneBroker(deps, wishes);
      const errorMessage = `Unexpected broker id, expected ${config.nodeId} or empty string, but received ${resourceName}`;
      return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage };
    }
    case ResourceType.BROKER_LOGGER:
      if (resourceName !== String(config.nodeId)) {
        return {
          errorCode: ErrorCode.INVALID_REQUEST,
          errorMessage: `Unexpected broker id, expected ${config.nodeId} but received ${resourceName}`,
        };
      }
      return describeLoggers(deps.logLevels);
    case ResourceType.GROUP:
      if (resourceName === "") return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: "Group name must not be empty" };
      return own(GROUP_KEYS, image.configs(resourceType, resourceName), ConfigSource.GROUP, wishes, (name) =>
        effective.brokerValue(`group.${name}`),
      );
    case ResourceType.CLIENT_METRICS:
      if (resourceName === "")
        return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: "Client metrics subscription name must not be empty" };
      return own(CLIENT_METRICS_KEYS, image.configs(resourceType, resourceName), ConfigSource.CLIENT_METRICS, wishes, () => null);
    default:
      return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: `Unsupported resource type: ${resourceType}` };
  }
}
/** What this broker runs with; dynamic settings that we do not know are shown as Kafka shows them, without their value. */
function oneBroker({ effective }: HandlerDeps, wishes: Wishes): Entry[] {
  const shown = (entry: EffectiveEntry): Entry => entryOf(entry, entry.key.dynamic !== true, wishes);
  const others = effective.brokerOthers().map((other) => ("key" in other ? shown(other) : unknownEntry(other, wishes)));
  return [...effective.broker().map(shown), ...others];
}
/** Only what was set for all brokers. */
function allBrokers({ effective, controller }: HandlerDeps, wishes: Wishes): Entry[] {
  const set = controller.image.configs(ResourceType.BROKER, "");
  const keys = new Map(effective.broker().map((entry) => [entry.name, entry.key]));
  return [...set].map(([name, value]) => {
    const key = keys.get(name);
    const sourced = { name, value, source: ConfigSource.DYNAMIC_DEFAULT_BROKER };
    if (key === undefined) return unknownEntry(sourced, wishes);
    return entryOf({ key, ...sourced, synonyms: [sourced] }, false, wishes);
  });
}
function own(
  keys: readonly ConfigKey[],
  configs: ReadonlyMap<string, string>,
  source: number,
  wishes: Wishes,
  inherited: (name: string) => string | null,
): Entry[] {
  return keys.map((key) => {
    const synonyms: SourcedValue[] = [];
    const value = configs.get(key.name);
    if (value !== undefined) synonyms.push({ name: key.name, value, source });
    const winner = synonyms[0] ?? { name: key.name, value: inherited(key.name) ?? key.default, source: ConfigSource.DEFAULT };
    // As in Kafka the default of a group's setting is its own synonym, and that of a subscription's is not.
    if (synonyms.length === 0 && source === ConfigSource.GROUP) synonyms.push(winner);
    return entryOf({ key, ...winner, synonyms }, false, wishes);
  });
}
function entryOf({ key, name, value, source, synonyms }: EffectiveEntry, readOnly: boolean, wishes: Wishes): Entry {
  const isSensitive = key.type === "PASSWORD";
  return {
    name,
    value: isSensitive ? null : value,
    readOnly,
    configSource: source,
    isSensitive,
    synonyms: wishes.synonyms ? synonyms.map((synonym) => (isSensitive ? { ...synonym, value: null } : synonym)) : [],
    configType: CONFIG_TYPE_CODE[key.type],
    documentation: wishes.documentation ? documentationOf(key) : null,
  };
}
const unknownEntry = ({ name, value, source }: SourcedValue, wishes: Wishes): Entry => ({
  name,
  value: null,
  readOnly: true,
  configSource: source,
  isSensitive: value !== "",
  synonyms: wishes.synonyms ? [{ name, value: null, source }] : [],
  configType: 0,
  documentation: null,
});
