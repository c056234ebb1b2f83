/** org.apache.kafka.connect.storage.SimpleHeaderConverter: headers as text, read back with the narrowest type that fits. */
import type { HeaderConverterPlugin } from "#connect/api/plugin";
import { NO_VALUE, parseValue, valueToString } from "#connect/api/values";

export const simpleHeaderConverter: HeaderConverterPlugin = {
  kind: "header-converter",
  name: "simple",
  classes: ["org.apache.kafka.connect.storage.SimpleHeaderConverter"],
  version: "4.1.0",
  config: [],
  create: () => ({
    fromConnectHeader: (_topic, _key, schema, value) => (value === null ? null : Buffer.from(valueToString(value, schema))),
    toConnectHeader(_topic, _key, bytes) {
      if (bytes === null) return { schema: null, value: null };
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
      try {
        return parseValue(text);
      } catch {
        return NO_VALUE;
      }
    },
  }),
};
