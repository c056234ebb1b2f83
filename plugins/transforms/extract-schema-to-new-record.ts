/** io.debezium.transforms.ExtractSchemaToNewRecord: the table's columns as a field of the event. */
import type { ConfigDef } from "#connect/api/config";
import { stringSetting } from "#connect/api/config-parse";
import { oneOfIgnoringCase } from "#connect/api/config-checks";
import type { TransformPlugin } from "#connect/api/plugin";
import { arrayOf, OPTIONAL_INT32, OPTIONAL_STRING, STRING, structOf, type Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { StructBuilder } from "#connect/api/struct-builder";
import type { ConnectValue } from "#connect/api/value";
import { DEBEZIUM_VERSION, debeziumError, envelopeOf, validatedConfig } from "./debezium.ts";
import { nameAdjuster, type NameAdjuster } from "./schema-name.ts";
import { bySchema } from "./side.ts";

const PARAMETER = "__debezium.source.column.";
const config: ConfigDef = [
  {
    name: "schema.name.adjustment.mode",
    type: "STRING",
    default: "none",
    importance: "MEDIUM",
    internal: true,
    doc: "How schema names are made fit for Avro.",
    check: oneOfIgnoringCase("none", "avro", "avro_unicode"),
  },
];
function blockSchemas(adjust: NameAdjuster): { block: Schema; table: Schema; column: Schema } {
  const column = structOf(
    [
      ["name", STRING],
      ["typeName", STRING],
      ["length", OPTIONAL_INT32],
      ["scale", OPTIONAL_INT32],
      ["comment", OPTIONAL_STRING],
    ],
    { name: adjust("io.debezium.connector.source.schema.Column"), version: 1 },
  );
  const table = structOf([["columns", arrayOf(column)]], { name: "io.debezium.connector.source.schema.Table", version: 1 });
  const fields = [
    ["id", STRING],
    ["table", table],
  ] as const;
  return { block: structOf(fields, { name: adjust("io.debezium.connector.source.Schema"), version: 1 }), table, column };
}
const integer = (text: string | undefined): number | null => (text === undefined ? null : Number.parseInt(text, 10));

export const extractSchemaToNewRecord: TransformPlugin = {
  kind: "transform",
  name: "extract-schema-to-new-record",
  classes: ["io.debezium.transforms.ExtractSchemaToNewRecord"],
  version: DEBEZIUM_VERSION,
  config,
  create(raw) {
    const c = validatedConfig(config, raw);
    const { block, table, column } = blockSchemas(nameAdjuster(stringSetting(c, "schema.name.adjustment.mode")));
    const columnsOf = (row: Schema): ConnectValue[] =>
      row.fields.map((f) => {
        const p = f.schema.parameters ?? {};
        const name = p[`${PARAMETER}name`],
          type = p[`${PARAMETER}type`];
        if (name === undefined || type === undefined)
          throw debeziumError(
            'Ensure that enable configurations "column.propagate.source.type" or "datatype.propagate.source.type" and the value is set to ".*"',
          );
        const comment = p[`${PARAMETER}comment`] ?? null;
        return new Struct(column, [name, type, integer(p[`${PARAMETER}length`]), integer(p[`${PARAMETER}scale`]), comment]);
      });
    const plan = bySchema((envelope) => {
      const builder = new StructBuilder();
      for (const f of envelope.fields) builder.field(f.name, f.schema);
      builder.field("sourceSchema", block);
      const row = envelope.byName.get("after")?.schema ?? envelope;
      return { to: builder.build({ ...envelope, default: undefined }), columns: new Struct(table, [columnsOf(row)]) };
    });
    return {
      apply(record) {
        const event = envelopeOf(record);
        if (event === null || (event.get("after") === null && event.get("before") === null)) return record;
        const { to, columns } = plan(event.schema);
        const source = event.get("source");
        const id = source instanceof Struct ? source.get("table") : null;
        const slots = [...event.schema.fields.map((f) => event.get(f.name)), new Struct(block, [id, columns])];
        return { ...record, valueSchema: to, value: new Struct(to, slots) };
      },
    };
  },
};
