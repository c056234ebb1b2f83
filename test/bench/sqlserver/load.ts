/** The measured loads: ten columns of the usual types, made here, as the simulator has no procedures. */
import { createHash } from "node:crypto";
import type { SqlServerPeer } from "../../peers/sqlserver.ts";

export const DATABASE = "millrace_bench";
/** Captured and without changes: what a poll has to do with them is measured. */
export const IDLE_TABLES = Array.from({ length: 10 }, (_, i) => `idle_${i}`);
const COLUMNS = `id int NOT NULL PRIMARY KEY, big bigint NOT NULL, txt varchar(200) NOT NULL, vc varchar(64), num decimal(10,2) NOT NULL, ts datetime2(3) NOT NULL,
  flag bit NOT NULL, js nvarchar(200) NOT NULL, uid uniqueidentifier NOT NULL, dbl float NOT NULL`;
/** As many as one VALUES may have. */
const STATEMENT_ROWS = 1000;
const T0_MS = 1_735_689_600_000;

const hex = (text: string): string => createHash("sha256").update(text).digest("hex");
function rowOf(i: number): string {
  const text = hex(String(i)).slice(0, 32);
  const uid = `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20, 32)}`;
  const ts = new Date(T0_MS + Math.abs(i) * 1000).toISOString().slice(0, 23).replace("T", " ");
  const cents = ((i * 37) % 9_999_999) / 100;
  return `(${i}, ${i * 1_000_003}, '${text.padEnd(50, "x")}', 'name-${i % 10_007}', ${cents.toFixed(2)}, '${ts}', ${i & 1}, N'{"k":${i},"tags":["a","b",${i % 13}],"s":"${text}"}', '${uid}', ${i / 7})`;
}
async function insert(peer: SqlServerPeer, table: string, from: number, to: number, statementRows: number): Promise<void> {
  for (let at = from; at <= to; at += statementRows) {
    const rows = Array.from({ length: Math.min(statementRows, to - at + 1) }, (_, i) => rowOf(at + i));
    await peer.run(DATABASE, `INSERT INTO ${table} VALUES ${rows.join(", ")}`);
  }
}
const capture = (table: string): string =>
  `EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'${table}', @role_name = NULL`;

export async function createTables(peer: SqlServerPeer): Promise<void> {
  await peer.run("master", `DROP DATABASE IF EXISTS [${DATABASE}]`);
  await peer.run("master", `CREATE DATABASE [${DATABASE}]`);
  await peer.run(DATABASE, "EXEC sys.sp_cdc_enable_db");
  for (const table of ["bench_ins", "bench_snap", ...IDLE_TABLES]) await peer.run(DATABASE, `CREATE TABLE ${table} (${COLUMNS})`);
  for (const table of ["bench_ins", ...IDLE_TABLES]) await peer.run(DATABASE, capture(table));
}
export const insertRow = (peer: SqlServerPeer, id: number): Promise<void> => insert(peer, "bench_ins", id, id, 1);
/** Rows 1…count, one event each, `transactionRows` in each transaction. */
export const fillLog = (peer: SqlServerPeer, count: number, transactionRows: number): Promise<void> =>
  insert(peer, "bench_ins", 1, count, transactionRows);
/** Captured afterwards, so that nobody has to write its change table. */
export async function fillTable(peer: SqlServerPeer, count: number): Promise<void> {
  await insert(peer, "bench_snap", 1, count, STATEMENT_ROWS);
  await peer.run(DATABASE, capture("bench_snap"));
}
