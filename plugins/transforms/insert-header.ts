/** org.apache.kafka.connect.transforms.InsertHeader: adds a fixed header, its type read from the literal. */
import { nonNull } from "#connect/api/config-checks";
import { parseConfig, stringSetting } from "#connect/api/config-parse";
import type { TransformPlugin } from "#connect/api/plugin";
import { parseValue } from "#connect/api/values";

export const insertHeader: TransformPlugin = {
  kind: "transform",
  name: "insert-header",
  classes: ["org.apache.kafka.connect.transforms.InsertHeader"],
  version: "4.1.0",
  config: [
    { name: "header", type: "STRING", importance: "HIGH", doc: "Name of the header.", check: nonNull },
    {
      name: "value.literal",
      type: "STRING",
      importance: "HIGH",
      doc: "Its value, a literal such as 42, true, 2024-01-02 or [1,2].",
      check: nonNull,
    },
  ],
  create(raw) {
    const config = parseConfig(insertHeader.config, raw);
    const { schema, value } = parseValue(stringSetting(config, "value.literal"));
    const header = { key: stringSetting(config, "header"), schema, value };
    return { apply: (record) => ({ ...record, headers: [...record.headers, header] }) };
  },
};
