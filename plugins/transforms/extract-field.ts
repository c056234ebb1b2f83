/** org.apache.kafka.connect.transforms.ExtractField: puts one field in place of the whole key or value. */
import { booleanSetting, parseConfig, stringSetting } from "#connect/api/config-parse";
import { ConnectError } from "#connect/api/errors";
import type { TransformPlugin } from "#connect/api/plugin";
import { FieldPath, syntaxVersionKey } from "./field-path.ts";
import { javaError } from "./debezium.ts";
import { bothSides, requireMapOrNull, requireStructOrNull, sideOf } from "./side.ts";

const PURPOSE = "field extraction";
export const extractField: TransformPlugin = {
  kind: "transform",
  name: "extract-field",
  classes: bothSides("ExtractField"),
  version: "4.1.0",
  config: [
    { name: "field", type: "STRING", importance: "MEDIUM", doc: "The field to take." },
    {
      name: "replace.null.with.default",
      type: "BOOLEAN",
      default: true,
      importance: "MEDIUM",
      doc: "Whether a null field with a default takes that default.",
    },
    syntaxVersionKey,
  ],
  create(raw, className) {
    const config = parseConfig(extractField.config, raw);
    const name = stringSetting(config, "field");
    const path = new FieldPath(name, stringSetting(config, "field.syntax.version"));
    const withDefault = booleanSetting(config, "replace.null.with.default");
    const side = sideOf(className);
    return {
      apply(record) {
        if (path.steps.length === 0 && (side.schema(record) !== null || side.value(record) !== null))
          throw javaError("IllegalArgumentException", "the setting field is an empty path");
        const schema = side.schema(record);
        if (schema === null) {
          const map = requireMapOrNull(side.value(record), PURPOSE);
          return side.with(record, null, map === null ? null : path.inMap(map));
        }
        const struct = requireStructOrNull(side.value(record), PURPOSE, schema);
        const field = path.fieldIn(schema);
        if (field === null)
          throw new ConnectError(`Unknown field: ${name}`, { javaClass: "java.lang.IllegalArgumentException", causeClass: "config" });
        return side.with(record, field.schema, struct === null ? null : path.inStruct(struct, withDefault));
      },
    };
  },
};
