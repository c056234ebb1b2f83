/** What differs between target databases. One value per database; the rest of the sink knows none of them by name. */
import type { Schema } from "#connect/api/schema";
import type { ConnectValue } from "#connect/api/value";
import type { RowShape, RowText } from "./change.ts";
import type { InsertMode, JdbcSinkSettings } from "./config.ts";
import type { TableId } from "./naming.ts";

export type ToText = (value: ConnectValue) => string;

export interface Statement {
  readonly text: string;
  readonly values: readonly (string | null)[];
}
export interface TableColumn {
  readonly name: string;
  /** As casts in this database's statements name it. */
  readonly type: string;
  /** Cannot be written. */
  readonly computed: boolean;
  /** Filled by the database unless a statement says otherwise. */
  readonly identity: boolean;
}
export interface Table {
  readonly id: TableId;
  /** By `columnKey` of the name. */
  readonly columns: ReadonlyMap<string, TableColumn>;
}

/** One connection, one transaction at a time. Errors are the driver's own; `Dialect.verdict` judges them. */
export interface Session {
  begin(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  run(statement: Statement): Promise<void>;
  /** Columns of the table in their order; empty: there is no such table. */
  columns(id: TableId): Promise<readonly TableColumn[]>;
  end(): Promise<void>;
}
/**
 * data: the record is at fault. passing: connection lost, deadlock, shutdown, out of space: it passes by itself. refused: a right
 * or a table is missing.
 */
export type Verdict = "data" | "passing" | "refused";

export interface Dialect {
  readonly name: string;
  readonly portDefault: number;
  /** Whether changes of tables end the transaction they are in. */
  readonly ddlCommits: boolean;
  /** `lost` is called when the connection broke while it was idle. */
  connect(settings: JdbcSinkSettings, applicationName: string, lost: () => void): Promise<Session>;
  verdict(error: Error): Verdict;
  /** How the database takes names without quotes. */
  fold(name: string): string;
  /** Names with the same key are the same column. */
  columnKey(name: string): string;
  quoteName(name: string): string;
  /** Text that statements take as a parameter. Chosen once for each schema. */
  toText(schema: Schema): ToText;
  createTable(id: TableId, shape: RowShape): string;
  addColumns(id: TableId, columns: RowShape["columns"]): string;
  truncate(id: TableId): string;
  /** Rows of one shape with the same known columns; more than one statement where the database bounds them. */
  write(mode: InsertMode, table: Table, shape: RowShape, rows: readonly RowText[]): readonly Statement[];
  delete(table: Table, shape: RowShape, rows: readonly RowText[]): readonly Statement[];
}

export const quoteTable = (dialect: Pick<Dialect, "quoteName">, id: TableId): string =>
  id.schema === null ? dialect.quoteName(id.name) : `${dialect.quoteName(id.schema)}.${dialect.quoteName(id.name)}`;

/** The columns in SQL for a table that is made from a shape. */
export function columnList(
  dialect: Pick<Dialect, "quoteName">,
  shape: RowShape,
  typeOf: (column: RowShape["columns"][number]) => string,
): string {
  const columns = shape.columns.map((c) => `${dialect.quoteName(c.name)} ${typeOf(c)}${c.key || !c.schema.optional ? " not null" : ""}`);
  const keys = shape.columns.slice(0, shape.keyCount).map((c) => dialect.quoteName(c.name));
  return [...columns, ...(keys.length > 0 ? [`primary key (${keys.join(", ")})`] : [])].join(", ");
}
/** Indexes of the shape's columns that a statement writes: present at the target, not computed, known in the row. */
export function writable(dialect: Pick<Dialect, "columnKey">, table: Table, shape: RowShape, sample: RowText): number[] {
  const indexes: number[] = [];
  shape.columns.forEach((c, i) => {
    const target = table.columns.get(dialect.columnKey(c.name));
    if (target !== undefined && !target.computed && sample[i] !== undefined) indexes.push(i);
  });
  return indexes;
}
/** Rows in portions of at most `rowsMax`. */
export function portions(rows: readonly RowText[], rowsMax: number): RowText[][] {
  const out: RowText[][] = [];
  for (let i = 0; i < rows.length; i += Math.max(1, rowsMax)) out.push(rows.slice(i, i + Math.max(1, rowsMax)));
  return out;
}
