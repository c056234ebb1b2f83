/** Small plugins for tests of the worker, and a catalogue of them. */
import type { ConnectorPlugin } from "#connect/api/connector";
import { DataError, RetriableError } from "#connect/api/errors";
import type { ConverterPlugin, HeaderConverterPlugin, PredicatePlugin, TransformPlugin } from "#connect/api/plugin";
import { STRING } from "#connect/api/schema";
import type { PluginCatalog } from "#connect/worker/types";

/** Strings as UTF-8. The value "bad" is refused; "later" is refused as retriable `retries` times. */
export function textConverter(retries = 0): ConverterPlugin {
  let left = retries;
  const refuse = (value: unknown): void => {
    if (value === "bad") throw new DataError("the value is bad");
    if (value === "later" && left-- > 0) throw new RetriableError("not now");
  };
  return {
    kind: "converter",
    name: "Text",
    classes: ["test.TextConverter"],
    version: "1",
    config: [],
    create: () => ({
      fromConnect(_topic, _schema, value) {
        refuse(value);
        return value === null ? null : Buffer.from(String(value as string));
      },
      toConnect(_topic, bytes) {
        const value = bytes === null ? null : Buffer.from(bytes).toString();
        refuse(value);
        return { schema: STRING, value };
      },
    }),
  };
}
const headerConverter: HeaderConverterPlugin = {
  kind: "header-converter",
  name: "TextHeader",
  classes: ["test.TextHeaderConverter"],
  version: "1",
  config: [],
  create: () => ({
    fromConnectHeader: (_topic, _key, _schema, value) => (value === null ? null : Buffer.from(String(value as string))),
    toConnectHeader: (_topic, _key, bytes) => ({ schema: STRING, value: bytes === null ? null : Buffer.from(bytes).toString() }),
  }),
};
/** `suffix` is added to string values; "poison" is refused; "drop" is dropped. */
const suffix: TransformPlugin = {
  kind: "transform",
  name: "Suffix",
  classes: ["test.Suffix$Key", "test.Suffix$Value"],
  version: "1",
  config: [],
  create: (config) => ({
    apply(record) {
      if (record.value === "poison") throw new DataError("poison");
      if (record.value === "drop") return null;
      return { ...record, value: `${String(record.value as string)}${config["suffix"] ?? ""}` };
    },
  }),
};
const startsWith: PredicatePlugin = {
  kind: "predicate",
  name: "StartsWith",
  classes: ["test.StartsWith"],
  version: "1",
  config: [],
  create: (config) => ({ test: (record) => String(record.value as string).startsWith(config["prefix"] ?? "") }),
};
const named = <T extends { readonly name: string; readonly classes: readonly string[] }>(
  plugins: readonly T[],
  className: string,
): T | null => plugins.find((p) => p.name === className || p.classes.some((c) => c === className || c.endsWith(`.${className}`))) ?? null;

export function testCatalog(connectors: readonly ConnectorPlugin[], converter: ConverterPlugin = textConverter()): PluginCatalog {
  return {
    connector: async (c) => named(connectors, c),
    transform: async (c) => named([suffix], c),
    predicate: async (c) => named([startsWith], c),
    converter: async (c) => named([converter], c),
    headerConverter: async (c) => named([headerConverter], c),
    configProvider: async (c) =>
      c === "Fixed"
        ? {
            kind: "config-provider",
            name: "Fixed",
            classes: ["Fixed"],
            version: "1",
            create: (config) => ({ get: async (path, key) => `${config["salt"] ?? ""}${path}/${key}` }),
          }
        : null,
  };
}
/** Worker settings that go with these plugins. */
export const testWorkerConfig = {
  "bootstrap.servers": "fake:9092",
  "key.converter": "Text",
  "value.converter": "Text",
  "header.converter": "TextHeader",
  "offset.flush.interval.ms": "20",
  "task.shutdown.graceful.timeout.ms": "1000",
} as const;
