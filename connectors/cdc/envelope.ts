/** The change event: before, after, source, transaction, op and the connector's clock. */
import { INT64, OPTIONAL_INT64, primitive, type Schema, STRING, structOf, withOptions } from "#connect/api/schema";

export type Op = "c" | "u" | "d" | "r" | "t" | "m";

export const TRANSACTION_BLOCK: Schema = structOf(
  [
    ["id", STRING],
    ["total_order", INT64],
    ["data_collection_order", INT64],
  ],
  { name: "event.block", version: 1, optional: true },
);

/** Values of `source.snapshot`, in the order in which the schema lists them. */
export type SnapshotMarker = "true" | "first" | "first_in_data_collection" | "last_in_data_collection" | "last" | "false" | "incremental";
export const SNAPSHOT_MARKER: Schema = primitive("STRING", {
  optional: true,
  name: "io.debezium.data.Enum",
  version: 1,
  parameters: { allowed: "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental" },
  default: "false",
});

/** `row` is the schema of before and after. Field order is what converters write. */
export function envelopeSchema(name: string, row: Schema, source: Schema): Schema {
  const optionalRow = row.optional ? row : withOptions(row, { optional: true });
  return structOf(
    [
      ["before", optionalRow],
      ["after", optionalRow],
      ["source", source],
      ["transaction", TRANSACTION_BLOCK],
      ["op", STRING],
      ["ts_ms", OPTIONAL_INT64],
      ["ts_us", OPTIONAL_INT64],
      ["ts_ns", OPTIONAL_INT64],
    ],
    { name, version: 2 },
  );
}
