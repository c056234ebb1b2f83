/** A column as DDL leaves it: an INT that is required, but for what is said of it. */
import type { Column } from "#connectors/cdc/table-model";

export const columnOf = (name: string, more: Partial<Column> = {}): Column => ({
  name,
  jdbcType: 4,
  nativeType: null,
  typeName: "INT",
  typeExpression: more.typeName ?? "INT",
  charsetName: null,
  length: null,
  scale: null,
  position: 1,
  optional: false,
  autoIncremented: false,
  generated: false,
  comment: null,
  hasDefaultValue: false,
  defaultValueExpression: null,
  enumValues: [],
  ...more,
});
