/**
 * The small plugins by name, each loaded when it is used: a task thread imports only what its connector names (a data table; a test
 * compares it with `index.ts`).
 */
import type { ConfigProviderPlugin, ConverterPlugin, HeaderConverterPlugin, PredicatePlugin, TransformPlugin } from "#connect/api/plugin";

export interface PluginEntry<T> {
  readonly name: string;
  readonly classes: readonly string[];
  load(): Promise<T>;
}
/** Of several in one file. */
function named<T extends { readonly name: string }>(list: readonly T[], name: string): T {
  const found = list.find((p) => p.name === name);
  if (found === undefined) throw new Error(`${name} is in the table of plugins, and not in its file`);
  return found;
}

export const transforms: readonly PluginEntry<TransformPlugin>[] = [
  {
    name: "by-logical-table-router",
    classes: ["io.debezium.transforms.ByLogicalTableRouter"],
    load: async () => (await import("./transforms/by-logical-table-router.ts")).byLogicalTableRouter,
  },
  {
    name: "cast",
    classes: ["org.apache.kafka.connect.transforms.Cast$Value", "org.apache.kafka.connect.transforms.Cast$Key"],
    load: async () => (await import("./transforms/cast.ts")).cast,
  },
  {
    name: "collection-name-transformation",
    classes: ["io.debezium.connector.jdbc.transforms.CollectionNameTransformation"],
    load: async () => (await import("./transforms/collection-name-transformation.ts")).collectionNameTransformation,
  },
  {
    name: "content-based-router",
    classes: ["io.debezium.transforms.ContentBasedRouter"],
    load: async () => (await import("./transforms/content-based-router.ts")).contentBasedRouter,
  },
  {
    name: "decode-logical-decoding-message-content",
    classes: ["io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent"],
    load: async () => (await import("./transforms/decode-logical-decoding-message-content.ts")).decodeLogicalDecodingMessageContent,
  },
  {
    name: "drop-headers",
    classes: ["org.apache.kafka.connect.transforms.DropHeaders"],
    load: async () => (await import("./transforms/drop-headers.ts")).dropHeaders,
  },
  {
    name: "event-router",
    classes: ["io.debezium.transforms.outbox.EventRouter"],
    load: async () => (await import("./transforms/event-router.ts")).eventRouter,
  },
  {
    name: "extract-changed-record-state",
    classes: ["io.debezium.transforms.ExtractChangedRecordState"],
    load: async () => (await import("./transforms/extract-changed-record-state.ts")).extractChangedRecordState,
  },
  {
    name: "extract-field",
    classes: ["org.apache.kafka.connect.transforms.ExtractField$Value", "org.apache.kafka.connect.transforms.ExtractField$Key"],
    load: async () => (await import("./transforms/extract-field.ts")).extractField,
  },
  {
    name: "extract-new-record-state",
    classes: ["io.debezium.transforms.ExtractNewRecordState"],
    load: async () => (await import("./transforms/extract-new-record-state.ts")).extractNewRecordState,
  },
  {
    name: "extract-schema-to-new-record",
    classes: ["io.debezium.transforms.ExtractSchemaToNewRecord"],
    load: async () => (await import("./transforms/extract-schema-to-new-record.ts")).extractSchemaToNewRecord,
  },
  {
    name: "field-name-transformation",
    classes: ["io.debezium.connector.jdbc.transforms.FieldNameTransformation"],
    load: async () => (await import("./transforms/field-name-transformation.ts")).fieldNameTransformation,
  },
  {
    name: "filter",
    classes: ["org.apache.kafka.connect.transforms.Filter"],
    load: async () => (await import("./transforms/filter.ts")).filter,
  },
  {
    name: "flatten",
    classes: ["org.apache.kafka.connect.transforms.Flatten$Value", "org.apache.kafka.connect.transforms.Flatten$Key"],
    load: async () => (await import("./transforms/flatten.ts")).flatten,
  },
  {
    name: "header-from",
    classes: ["org.apache.kafka.connect.transforms.HeaderFrom$Value", "org.apache.kafka.connect.transforms.HeaderFrom$Key"],
    load: async () => (await import("./transforms/header-from.ts")).headerFrom,
  },
  {
    name: "header-to-value",
    classes: ["io.debezium.transforms.HeaderToValue"],
    load: async () => (await import("./transforms/header-to-value.ts")).headerToValue,
  },
  {
    name: "hoist-field",
    classes: ["org.apache.kafka.connect.transforms.HoistField$Value", "org.apache.kafka.connect.transforms.HoistField$Key"],
    load: async () => (await import("./transforms/hoist-field.ts")).hoistField,
  },
  {
    name: "insert-field",
    classes: ["org.apache.kafka.connect.transforms.InsertField$Value", "org.apache.kafka.connect.transforms.InsertField$Key"],
    load: async () => (await import("./transforms/insert-field.ts")).insertField,
  },
  {
    name: "insert-header",
    classes: ["org.apache.kafka.connect.transforms.InsertHeader"],
    load: async () => (await import("./transforms/insert-header.ts")).insertHeader,
  },
  {
    name: "mask-field",
    classes: ["org.apache.kafka.connect.transforms.MaskField$Value", "org.apache.kafka.connect.transforms.MaskField$Key"],
    load: async () => (await import("./transforms/mask-field.ts")).maskField,
  },
  {
    name: "partition-routing",
    classes: ["io.debezium.transforms.partitions.PartitionRouting"],
    load: async () => (await import("./transforms/partition-routing.ts")).partitionRouting,
  },
  {
    name: "read-to-insert-event",
    classes: ["io.debezium.connector.mysql.transforms.ReadToInsertEvent"],
    load: async () => (await import("./transforms/read-to-insert-event.ts")).readToInsertEvent,
  },
  {
    name: "regex-router",
    classes: ["org.apache.kafka.connect.transforms.RegexRouter"],
    load: async () => (await import("./transforms/regex-router.ts")).regexRouter,
  },
  {
    name: "replace-field",
    classes: ["org.apache.kafka.connect.transforms.ReplaceField$Value", "org.apache.kafka.connect.transforms.ReplaceField$Key"],
    load: async () => (await import("./transforms/replace-field.ts")).replaceField,
  },
  {
    name: "schema-change-event-filter",
    classes: ["io.debezium.transforms.SchemaChangeEventFilter"],
    load: async () => (await import("./transforms/schema-change-event-filter.ts")).schemaChangeEventFilter,
  },
  { name: "script", classes: ["io.millrace.transforms.Script"], load: async () => (await import("./transforms/script.ts")).script },
  {
    name: "debezium-filter",
    classes: ["io.debezium.transforms.Filter"],
    load: async () => (await import("./transforms/scripting-filter.ts")).scriptingFilter,
  },
  {
    name: "set-schema-metadata",
    classes: ["org.apache.kafka.connect.transforms.SetSchemaMetadata$Value", "org.apache.kafka.connect.transforms.SetSchemaMetadata$Key"],
    load: async () => (await import("./transforms/set-schema-metadata.ts")).setSchemaMetadata,
  },
  {
    name: "timestamp-converter",
    classes: ["org.apache.kafka.connect.transforms.TimestampConverter$Value", "org.apache.kafka.connect.transforms.TimestampConverter$Key"],
    load: async () => (await import("./transforms/timestamp-converter.ts")).timestampConverter,
  },
  {
    name: "timestamp-router",
    classes: ["org.apache.kafka.connect.transforms.TimestampRouter"],
    load: async () => (await import("./transforms/timestamp-router.ts")).timestampRouter,
  },
  {
    name: "timezone-converter",
    classes: ["io.debezium.transforms.TimezoneConverter"],
    load: async () => (await import("./transforms/timezone-converter.ts")).timezoneConverter,
  },
  {
    name: "value-to-key",
    classes: ["org.apache.kafka.connect.transforms.ValueToKey"],
    load: async () => (await import("./transforms/value-to-key.ts")).valueToKey,
  },
  {
    name: "vector-to-json-converter",
    classes: ["io.debezium.transforms.VectorToJsonConverter"],
    load: async () => (await import("./transforms/vector-to-json-converter.ts")).vectorToJsonConverter,
  },
];
export const predicates: readonly PluginEntry<PredicatePlugin>[] = [
  {
    name: "has-header-key",
    classes: ["org.apache.kafka.connect.transforms.predicates.HasHeaderKey"],
    load: async () => (await import("./predicates/has-header-key.ts")).hasHeaderKey,
  },
  {
    name: "record-is-tombstone",
    classes: ["org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"],
    load: async () => (await import("./predicates/record-is-tombstone.ts")).recordIsTombstone,
  },
  {
    name: "topic-name-matches",
    classes: ["org.apache.kafka.connect.transforms.predicates.TopicNameMatches"],
    load: async () => (await import("./predicates/topic-name-matches.ts")).topicNameMatches,
  },
];
export const converters: readonly PluginEntry<ConverterPlugin>[] = [
  {
    name: "json",
    classes: ["org.apache.kafka.connect.json.JsonConverter"],
    load: async () => (await import("./converters/json-converter.ts")).jsonConverter,
  },
  {
    name: "string",
    classes: ["org.apache.kafka.connect.storage.StringConverter"],
    load: async () => (await import("./converters/string-converter.ts")).stringConverter,
  },
  {
    name: "byte-array",
    classes: ["org.apache.kafka.connect.converters.ByteArrayConverter"],
    load: async () => (await import("./converters/byte-array-converter.ts")).byteArrayConverter,
  },
  {
    name: "short",
    classes: ["org.apache.kafka.connect.converters.ShortConverter"],
    load: async () => named((await import("./converters/number-converters.ts")).numberConverters, "short"),
  },
  {
    name: "integer",
    classes: ["org.apache.kafka.connect.converters.IntegerConverter"],
    load: async () => named((await import("./converters/number-converters.ts")).numberConverters, "integer"),
  },
  {
    name: "long",
    classes: ["org.apache.kafka.connect.converters.LongConverter"],
    load: async () => named((await import("./converters/number-converters.ts")).numberConverters, "long"),
  },
  {
    name: "float",
    classes: ["org.apache.kafka.connect.converters.FloatConverter"],
    load: async () => named((await import("./converters/number-converters.ts")).numberConverters, "float"),
  },
  {
    name: "double",
    classes: ["org.apache.kafka.connect.converters.DoubleConverter"],
    load: async () => named((await import("./converters/number-converters.ts")).numberConverters, "double"),
  },
  {
    name: "boolean",
    classes: ["org.apache.kafka.connect.converters.BooleanConverter"],
    load: async () => named((await import("./converters/number-converters.ts")).numberConverters, "boolean"),
  },
];
export const headerConverters: readonly PluginEntry<HeaderConverterPlugin>[] = [
  {
    name: "simple",
    classes: ["org.apache.kafka.connect.storage.SimpleHeaderConverter"],
    load: async () => (await import("./header-converters/simple-header-converter.ts")).simpleHeaderConverter,
  },
  {
    name: "json",
    classes: ["org.apache.kafka.connect.json.JsonConverter"],
    load: async () => (await import("./converters/json-converter.ts")).jsonHeaderConverter,
  },
  {
    name: "string",
    classes: ["org.apache.kafka.connect.storage.StringConverter"],
    load: async () => (await import("./converters/string-converter.ts")).stringHeaderConverter,
  },
  {
    name: "byte-array",
    classes: ["org.apache.kafka.connect.converters.ByteArrayConverter"],
    load: async () => (await import("./converters/byte-array-converter.ts")).byteArrayHeaderConverter,
  },
  {
    name: "short",
    classes: ["org.apache.kafka.connect.converters.ShortConverter"],
    load: async () => named((await import("./converters/number-converters.ts")).numberHeaderConverters, "short"),
  },
  {
    name: "integer",
    classes: ["org.apache.kafka.connect.converters.IntegerConverter"],
    load: async () => named((await import("./converters/number-converters.ts")).numberHeaderConverters, "integer"),
  },
  {
    name: "long",
    classes: ["org.apache.kafka.connect.converters.LongConverter"],
    load: async () => named((await import("./converters/number-converters.ts")).numberHeaderConverters, "long"),
  },
  {
    name: "float",
    classes: ["org.apache.kafka.connect.converters.FloatConverter"],
    load: async () => named((await import("./converters/number-converters.ts")).numberHeaderConverters, "float"),
  },
  {
    name: "double",
    classes: ["org.apache.kafka.connect.converters.DoubleConverter"],
    load: async () => named((await import("./converters/number-converters.ts")).numberHeaderConverters, "double"),
  },
  {
    name: "boolean",
    classes: ["org.apache.kafka.connect.converters.BooleanConverter"],
    load: async () => named((await import("./converters/number-converters.ts")).numberHeaderConverters, "boolean"),
  },
];
export const configProviders: readonly PluginEntry<ConfigProviderPlugin>[] = [
  {
    name: "file",
    classes: ["org.apache.kafka.common.config.provider.FileConfigProvider"],
    load: async () => (await import("./config-providers/file.ts")).fileConfigProvider,
  },
  {
    name: "dir",
    classes: ["org.apache.kafka.common.config.provider.DirectoryConfigProvider"],
    load: async () => (await import("./config-providers/directory.ts")).directoryConfigProvider,
  },
  {
    name: "env",
    classes: ["org.apache.kafka.common.config.provider.EnvVarConfigProvider"],
    load: async () => (await import("./config-providers/environment.ts")).environmentConfigProvider,
  },
];
