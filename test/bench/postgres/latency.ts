/** From the insert of a row (its commit included) until librdkafka has its event, at a steady rate of transactions of one row. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Client } from "pg";

export const LATENCY_TABLE = "bench_latency";
const WARM_UP_S = 3;

export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export async function prepareLatency(sql: Client): Promise<void> {
  await sql.query(`create table ${LATENCY_TABLE} (id int primary key, at double precision not null, txt text not null)`);
  await sql.query(`create publication pub_${LATENCY_TABLE} for table ${LATENCY_TABLE}`);
  // Paced by the server itself: a client's timers and its share of the CPU would be measured too.
  await sql.query(`create procedure bench_pace(per_second int, n int) language plpgsql as $$
    declare begun timestamptz := clock_timestamp(); ahead float8;
    begin for k in 1..n loop
      ahead := extract(epoch from begun - clock_timestamp()) + k::float8 / per_second;
      if ahead > 0.0005 then perform pg_sleep(ahead); end if;
      insert into ${LATENCY_TABLE} values (k, extract(epoch from clock_timestamp()), repeat('x', 100));
      commit;
    end loop; end $$`);
}

/** The connector streams already, and its topic has one empty partition. Milliseconds. */
export async function measureLatency(
  sql: Client,
  python: string,
  bootstrap: string,
  topic: string,
  perSecond: number,
  seconds: number,
): Promise<Latency> {
  await sql.query(`truncate ${LATENCY_TABLE}`);
  const rows = perSecond * seconds;
  const args = [join(import.meta.dirname, "latency.py"), bootstrap, topic, rows, perSecond * WARM_UP_S, seconds * 3 + 30].map(String);
  const consumer = spawn(python, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: consumer.stdout })[Symbol.asyncIterator]();
  await lines.next();
  await sql.query(`call bench_pace(${perSecond}, ${rows})`);
  const { value = "" } = await lines.next();
  if (consumer.exitCode === null) await once(consumer, "exit");
  const [read = 0, p50 = Number.NaN, p99 = Number.NaN, p999 = Number.NaN] = value.split(" ").map(Number);
  if (read !== rows) throw new Error(`${read} of ${rows} events came`);
  return { p50, p99, p999 };
}
