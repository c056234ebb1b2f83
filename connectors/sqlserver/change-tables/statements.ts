/** The SQL of reading change tables. Parameters are named; LSNs are binary(10). */
import type { Lsn } from "./lsn.ts";

export const quoted = (name: string): string => `[${name.replaceAll("]", "]]")}]`;
export const literal = (text: string): string => `N'${text.replaceAll("'", "''")}'`;

/** Place of a row in the order in which a change table is read. */
export interface RowPlace {
  readonly start: Lsn;
  /** Order within the transaction; 0 where the function is asked, which does not tell it. */
  readonly command: number;
  readonly change: Lsn;
  readonly operation: number;
}
export interface ChangeQuery {
  readonly database: string;
  readonly instance: string;
  /** Expressions of the captured columns. */
  readonly columns: readonly string[];
  readonly mode: "direct" | "function";
  /** Operation codes that are left out. */
  readonly skipped: readonly number[];
  /** Null: the first page. */
  readonly after: RowPlace | null;
  readonly maxRows: number;
}
/** Columns before the captured ones. */
export const CHANGE_COLUMNS = 4;

/** Parameters: from, to; after the first page also start, command, change, operation. */
export function changeQuery(q: ChangeQuery): string {
  const db = quoted(q.database);
  const direct = q.mode === "direct";
  const command = direct ? "[__$command_id]" : "0";
  const from = direct
    ? `${db}.cdc.${quoted(`${q.instance}_CT`)}`
    : `${db}.cdc.${quoted(`fn_cdc_get_all_changes_${q.instance}`)}(@from, @to, N'all update old')`;
  const conditions = direct ? ["[__$start_lsn] >= @from AND [__$start_lsn] <= @to"] : [];
  if (q.after !== null) conditions.push(`(${afterPlace(direct)})`);
  if (q.skipped.length > 0) conditions.push(`[__$operation] NOT IN (${q.skipped.join(", ")})`);
  const columns = ["[__$start_lsn]", "[__$seqval]", "[__$operation]", command, ...q.columns].join(", ");
  const order = direct
    ? "[__$start_lsn] ASC, [__$command_id] ASC, [__$seqval] ASC, [__$operation] ASC"
    : "[__$start_lsn] ASC, [__$seqval] ASC, [__$operation] ASC";
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  return `SELECT TOP (${q.maxRows}) ${columns} FROM ${from}${where} ORDER BY ${order}`;
}
/** The order of the rows is the order of the pages: no row can stand between two of them. */
function afterPlace(direct: boolean): string {
  const terms = direct
    ? (["__$start_lsn", "__$command_id", "__$seqval", "__$operation"] as const)
    : (["__$start_lsn", "__$seqval", "__$operation"] as const);
  const names: Readonly<Record<(typeof terms)[number], string>> = {
    __$start_lsn: "@start",
    __$command_id: "@command",
    __$seqval: "@change",
    __$operation: "@operation",
  };
  return terms
    .map((term, i) => `(${[...terms.slice(0, i).map((t) => `[${t}] = ${names[t]}`), `[${term}] > ${names[term]}`].join(" AND ")})`)
    .join(" OR ");
}

/**
 * The next transactions and the instants of their commits (UTC). With `@from`: that one is among them. The last one is how far the
 * capture job has come.
 */
export function transactionsQuery(database: string, limit: number, withPosition: boolean): string {
  const from = withPosition ? "start_lsn >= @from AND " : "";
  return `SELECT TOP (${limit}) start_lsn, DATEADD(minute, -DATEPART(TZOFFSET, SYSDATETIMEOFFSET()), tran_end_time) AS at FROM ${quoted(database)}.cdc.lsn_time_mapping WHERE ${from}tran_id <> 0x00 ORDER BY start_lsn`;
}
/** Where each instance's change table begins. */
export const startsQuery = (database: string): string => `SELECT capture_instance, start_lsn FROM ${quoted(database)}.cdc.change_tables`;
