/** io.debezium.connector.mysql.transforms.ReadToInsertEvent: snapshot reads become inserts. */
import type { TransformPlugin } from "#connect/api/plugin";
import { Struct } from "#connect/api/struct";
import { DEBEZIUM_VERSION, envelopeOf } from "./debezium.ts";

export const readToInsertEvent: TransformPlugin = {
  kind: "transform",
  name: "read-to-insert-event",
  classes: ["io.debezium.connector.mysql.transforms.ReadToInsertEvent"],
  version: DEBEZIUM_VERSION,
  config: [],
  create: () => ({
    apply(record) {
      const event = envelopeOf(record);
      if (event === null || event.get("op") !== "r") return record;
      const slots = [...event.slots];
      slots[event.field("op").index] = "c";
      return { ...record, value: new Struct(event.schema, slots) };
    },
  }),
};
