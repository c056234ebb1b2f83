/** Schema parameters that tell the column's type in the database (`column.propagate.source.type`). */
import type { Column } from "../cdc/table-model.ts";

export const sourceTypeParameters = (column: Column): Readonly<Record<string, string>> => ({
  "__debezium.source.column.type": column.typeName.toUpperCase(),
  ...(column.length !== null && { "__debezium.source.column.length": String(column.length) }),
  ...(column.scale !== null && { "__debezium.source.column.scale": String(column.scale) }),
  "__debezium.source.column.name": column.name,
});
