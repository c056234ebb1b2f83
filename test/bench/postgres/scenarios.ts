/** Backlogs that a connector has to work off: how each is made, and by which settings and topics it is read. */
import type { Client } from "pg";
import { COLUMNS, fill } from "./load.ts";

export interface Scenario {
  readonly name: string;
  /** Says what was measured. */
  readonly title: string;
  readonly tables: readonly string[];
  /** Creates tables and rows that the backlog needs; the slot is made after it. */
  prepare(sql: Client, count: number): Promise<void>;
  /** Makes about `count` events; resolves with how many it is. */
  load(sql: Client, count: number): Promise<number>;
  readonly config: Readonly<Record<string, string>>;
}
const SCHEMAS = { "key.converter.schemas.enable": "true", "value.converter.schemas.enable": "true" };
const EVENTS_PER_TPCB = 4;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "schemas",
    title: "backlog of single-row inserts, JSON with schemas",
    tables: ["bench_schemas"],
    async prepare(sql) {
      await sql.query(`create table bench_schemas (${COLUMNS})`);
    },
    async load(sql, count) {
      await fill(sql, "bench_schemas", count);
      return Math.ceil(count / 1000) * 1000;
    },
    config: SCHEMAS,
  },
  {
    name: "updates",
    title: "backlog of updates with the full row before, plain JSON",
    tables: ["bench_updates"],
    async prepare(sql, count) {
      await sql.query(`create table bench_updates (${COLUMNS})`);
      await sql.query("alter table bench_updates replica identity full");
      await fill(sql, "bench_updates", count);
    },
    async load(sql, count) {
      const pieces = Math.ceil(count / 1000);
      await sql.query(`create or replace procedure bench_update() language plpgsql as $$
        begin for k in 0..${pieces - 1} loop update bench_updates set big = big + 1 where id between k*1000+1 and k*1000+1000; commit; end loop; end $$`);
      await sql.query("call bench_update()");
      return pieces * 1000;
    },
    config: {},
  },
  {
    name: "tpcb",
    title: "backlog of small transactions (three updates and an insert, as pgbench's), plain JSON",
    tables: ["bench_accounts", "bench_tellers", "bench_branches", "bench_history"],
    async prepare(sql) {
      await sql.query("create table bench_branches (bid int primary key, bbalance int, filler char(88))");
      await sql.query("create table bench_tellers (tid int primary key, bid int, tbalance int, filler char(84))");
      await sql.query("create table bench_accounts (aid int primary key, bid int, abalance int, filler char(84))");
      await sql.query("create table bench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))");
      await sql.query("insert into bench_branches select i, 0, '' from generate_series(1, 10) i");
      await sql.query("insert into bench_tellers select i, i % 10, 0, '' from generate_series(1, 100) i");
      await sql.query("insert into bench_accounts select i, i % 10, 0, '' from generate_series(1, 100000) i");
    },
    async load(sql, count) {
      const transactions = Math.ceil(count / EVENTS_PER_TPCB);
      await sql.query(`create or replace procedure bench_tpcb() language plpgsql as $$
        begin for k in 1..${transactions} loop
          update bench_accounts set abalance = abalance + k where aid = k * 7919 % 100000 + 1;
          update bench_tellers set tbalance = tbalance + k % 100 where tid = k % 100 + 1;
          update bench_branches set bbalance = bbalance + k % 100 where bid = k % 10 + 1;
          insert into bench_history values (k % 100, k % 10, k, k, now(), '');
          commit;
        end loop; end $$`);
      await sql.query("call bench_tpcb()");
      return transactions * EVENTS_PER_TPCB;
    },
    config: {},
  },
];
