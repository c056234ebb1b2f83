/** A transform, a predicate and a converter. They are synchronous and do no I/O. */
import {
  type ConfigDef,
  type ConnectRecord,
  type ConverterPlugin,
  DataError,
  OPTIONAL_STRING,
  parseConfig,
  type PredicatePlugin,
  STRING,
  stringSetting,
  type TransformPlugin,
} from "millrace/api";

const stampConfig: ConfigDef = [{ name: "header", type: "STRING", default: "stamp", importance: "LOW", doc: "The header that is added." }];

/** Adds a header with the topic's name. */
export const stamp: TransformPlugin = {
  kind: "transform",
  name: "acme-stamp",
  classes: ["com.acme.Stamp"],
  version: "1.0.0",
  config: stampConfig,
  create(raw) {
    const key = stringSetting(parseConfig(stampConfig, raw), "header");
    return {
      apply: <R extends ConnectRecord>(record: R): R => ({
        ...record,
        headers: [...record.headers, { key, schema: STRING, value: record.topic }],
      }),
    };
  },
};

/** Holds for records whose key reads as an even number. */
export const evenKey: PredicatePlugin = {
  kind: "predicate",
  name: "acme-even-key",
  classes: ["com.acme.EvenKey"],
  version: "1.0.0",
  config: [],
  create: () => ({ test: ({ key }) => (typeof key === "string" || typeof key === "number") && Number(key) % 2 === 0 }),
};

/** Texts as base64. */
export const base64Converter: ConverterPlugin = {
  kind: "converter",
  name: "acme-base64",
  classes: ["com.acme.Base64Converter"],
  version: "1.0.0",
  config: [],
  create: () => ({
    fromConnect(_topic, _schema, value) {
      if (value === null) return null;
      if (typeof value !== "string") throw new DataError("only texts can be written as base64");
      return Buffer.from(Buffer.from(value).toString("base64"));
    },
    toConnect: (_topic, bytes) => ({
      schema: OPTIONAL_STRING,
      value: bytes === null ? null : Buffer.from(Buffer.from(bytes).toString("latin1"), "base64").toString(),
    }),
  }),
};
