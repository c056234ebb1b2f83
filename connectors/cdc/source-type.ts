/** Schema parameters that tell the column's type in the database (`column.propagate.source.type`). */
export interface SourceType {
  readonly name: string;
  readonly typeName: string;
  readonly length: number | null;
  readonly scale: number | null;
  /** Null or empty: none is told. */
  readonly comment?: string | null;
}
export const sourceTypeParameters = (column: SourceType): Readonly<Record<string, string>> => ({
  "__debezium.source.column.type": column.typeName,
  ...(column.length !== null && { "__debezium.source.column.length": String(column.length) }),
  ...(column.scale !== null && { "__debezium.source.column.scale": String(column.scale) }),
  "__debezium.source.column.name": column.name,
  ...(column.comment && { "__debezium.source.column.comment": column.comment }),
});
