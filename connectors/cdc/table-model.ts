/** The relational model that schema history, DDL parser and type mapping share; field for field what Debezium's history JSON carries. */

/** MySQL and MariaDB: the database is the catalog, there is no schema. */
export interface TableId {
  readonly catalog: string | null;
  readonly schema: string | null;
  readonly table: string;
}
export interface Column {
  readonly name: string;
  /** From 1. */
  readonly position: number;
  /** `java.sql.Types`. */
  readonly jdbcType: number;
  /** Null: the source has no such number (MySQL). */
  readonly nativeType: number | null;
  /** As Debezium prints it, in capitals: `BIGINT UNSIGNED`. */
  readonly typeName: string;
  readonly typeExpression: string;
  /** Java's view: null for what is not text. */
  readonly charsetName: string | null;
  readonly length: number | null;
  readonly scale: number | null;
  readonly optional: boolean;
  readonly autoIncremented: boolean;
  readonly generated: boolean;
  readonly comment: string | null;
  readonly hasDefaultValue: boolean;
  /** Text of the default as a literal without quotes; null: none, or the default is NULL. */
  readonly defaultValueExpression: string | null;
  /** As in the DDL, with quotes. Empty: not an enumeration. */
  readonly enumValues: readonly string[];
  /** What the server knows beyond Debezium's model; not part of the history's JSON. */
  readonly detail?: ColumnDetail;
}
export interface ColumnDetail {
  /** Character set the bytes are in, where it differs from `charsetName` (Debezium's model misses CONVERT TO CHARACTER SET). */
  readonly storedCharset?: string;
  readonly collation?: string;
  /** MySQL and MariaDB: not in `SELECT *`. */
  readonly invisible?: boolean;
  readonly generation?: "virtual" | "stored";
  /** ROW START and ROW END of a system versioned table; they are in the binary log. */
  readonly systemVersioning?: "start" | "end";
}
export interface Table {
  readonly id: TableId;
  readonly columns: readonly Column[];
  readonly primaryKeyColumnNames: readonly string[];
  readonly defaultCharsetName: string | null;
  readonly comment: string | null;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
  /** What the server knows beyond Debezium's model; not part of the history's JSON. */
  readonly detail?: TableDetail;
}
export interface TableDetail {
  /** Default character set, where it differs from `defaultCharsetName`. */
  readonly storedCharset?: string;
  /** MariaDB: WITH SYSTEM VERSIONING. */
  readonly systemVersioned?: boolean;
}

export type TableChangeType = "CREATE" | "ALTER" | "DROP";
export interface TableChange {
  readonly type: TableChangeType;
  readonly id: TableId;
  /** The former name, for a table that was renamed. */
  readonly previousId: TableId | null;
  /** Null for DROP. */
  readonly table: Table | null;
}

const quoted = (part: string): string => `"${part.replaceAll('"', '""')}"`;
/** `"catalog"."schema"."table"`, parts that are null left out: the form of ids in history records. */
export const quotedTableId = (id: TableId): string =>
  [id.catalog, id.schema, id.table].flatMap((p) => (p === null || p === "" ? [] : [quoted(p)])).join(".");
/** `catalog.schema.table`: the form that filters match and topics are named by. */
export const dottedTableId = (id: TableId): string => [id.catalog, id.schema, id.table].filter((p) => p !== null && p !== "").join(".");

/** Tables by id. Names compare exactly, or without case as the server's `lower_case_table_names` says. */
export class Tables {
  readonly #byId = new Map<string, Table>();
  readonly #ignoreCase: boolean;

  constructor(ignoreCase = false) {
    this.#ignoreCase = ignoreCase;
  }
  #key(id: TableId): string {
    const key = quotedTableId(id);
    return this.#ignoreCase ? key.toLowerCase() : key;
  }
  get size(): number {
    return this.#byId.size;
  }
  get(id: TableId): Table | undefined {
    return this.#byId.get(this.#key(id));
  }
  put(table: Table): void {
    this.#byId.set(this.#key(table.id), table);
  }
  remove(id: TableId): boolean {
    return this.#byId.delete(this.#key(id));
  }
  /** In the order in which the tables came. */
  values(): IterableIterator<Table> {
    return this.#byId.values();
  }
  /** What a history record says; DROP of an unknown table is nothing. */
  apply(change: TableChange): void {
    if (change.previousId !== null) this.remove(change.previousId);
    if (change.table === null) this.remove(change.id);
    else this.put(change.table);
  }
}
