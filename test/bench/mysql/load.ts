/** The measured loads: ten columns of the usual types, one statement per row, in transactions of 1,000, made by the server itself. */
import type { Connection } from "mysql2/promise";

export const DATABASE = "millrace_bench";
const COLUMNS = `id int PRIMARY KEY, big bigint NOT NULL, txt text NOT NULL, vc varchar(64), num decimal(10,2) NOT NULL, ts timestamp NOT NULL,
  flag tinyint(1) NOT NULL, js json NOT NULL, uid char(36) NOT NULL, dbl double NOT NULL`;
const ROW = `i, i*1000003, rpad(left(sha2(i,256),32),50,'x'), concat('name-',i%10007), ((i*37)%9999999)/100.0, from_unixtime(1735689600+abs(i)), i%2=0,
  json_object('k',i,'tags',json_array('a','b',i%13),'s',left(sha2(i+1,256),32)),
  insert(insert(insert(insert(left(sha2(concat('u',i),256),32),9,0,'-'),14,0,'-'),19,0,'-'),24,0,'-'), i/7e0`;

export async function createTables(sql: Connection): Promise<void> {
  await sql.query(`DROP DATABASE IF EXISTS ${DATABASE}; CREATE DATABASE ${DATABASE}; USE ${DATABASE}; SET time_zone = '+00:00'`);
  for (const table of ["bench_ins", "bench_snap"]) await sql.query(`CREATE TABLE ${table} (${COLUMNS})`);
}
export async function insertRow(sql: Connection, id: number): Promise<void> {
  await sql.query(`INSERT INTO bench_ins SELECT ${ROW} FROM (SELECT ${id} AS i) v`);
}
/** Rows 1…count, one event each. */
export async function fillLog(sql: Connection, count: number): Promise<void> {
  await sql.query("DROP PROCEDURE IF EXISTS bench_load");
  await sql.query(`CREATE PROCEDURE bench_load(n int) BEGIN DECLARE i int DEFAULT 1; START TRANSACTION;
    WHILE i <= n DO INSERT INTO bench_ins SELECT ${ROW} FROM (SELECT i AS i) v;
      IF i % 1000 = 0 THEN COMMIT; START TRANSACTION; END IF; SET i = i + 1; END WHILE; COMMIT; END`);
  await sql.query(`CALL bench_load(${count})`);
}
const STEP = 10_000;
/** Not through the log: nobody streams it. */
export async function fillTable(sql: Connection, count: number): Promise<void> {
  await sql.query(`SET cte_max_recursion_depth = ${STEP * 2}, sql_log_bin = 0`);
  for (let from = 1; from <= count; from += STEP)
    await sql.query(
      `INSERT INTO bench_snap WITH RECURSIVE s(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM s WHERE i < ${Math.min(count, from + STEP - 1)}) SELECT ${ROW} FROM s`,
    );
  await sql.query("SET sql_log_bin = 1");
}
