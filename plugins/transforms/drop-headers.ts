/** org.apache.kafka.connect.transforms.DropHeaders */
import { nonEmptyList } from "#connect/api/config-checks";
import { listSetting, parseConfig } from "#connect/api/config-parse";
import type { TransformPlugin } from "#connect/api/plugin";

export const dropHeaders: TransformPlugin = {
  kind: "transform",
  name: "drop-headers",
  classes: ["org.apache.kafka.connect.transforms.DropHeaders"],
  version: "4.1.0",
  config: [{ name: "headers", type: "LIST", importance: "HIGH", doc: "Headers to remove.", check: nonEmptyList }],
  create(raw) {
    const names = new Set(listSetting(parseConfig(dropHeaders.config, raw), "headers"));
    return { apply: (record) => ({ ...record, headers: record.headers.filter((h) => !names.has(h.key)) }) };
  },
};
