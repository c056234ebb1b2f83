/** The measured loads: ten columns of the usual types, in transactions of 1,000 rows, made by the server itself. */
import { Client } from "pg";
import { PLAIN_JSON } from "../connector-run.ts";

export const COLUMNS = `id int primary key, big bigint not null, txt text not null, vc varchar(64), num numeric(10,2) not null,
  ts timestamptz not null, flag boolean not null, js jsonb not null, uid uuid not null, dbl double precision not null`;
const ROW = `i, i::bigint*1000003, rpad(md5(i::text),50,'x'), 'name-'||(i%10007), ((i*37)%9999999)/100.0,
  timestamptz '2025-01-01 00:00:00+00' + i * interval '1 second', i%2=0,
  jsonb_build_object('k',i,'tags',jsonb_build_array('a','b',i%13),'s',md5((i+1)::text)), md5('u'||i)::uuid, i/7.0::float8`;

export interface Server {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}
export async function connect(server: Server, database = server.database): Promise<Client> {
  const client = new Client({ ...server, database });
  client.on("error", () => {});
  await client.connect();
  return client;
}
/** Fills `table` with rows 1…count, one transaction for each thousand. */
export async function fill(client: Client, table: string, count: number): Promise<void> {
  await client.query(`create or replace procedure bench_fill() language plpgsql as $$
    begin for k in 0..${Math.ceil(count / 1000) - 1} loop insert into ${table} select ${ROW} from generate_series(k*1000+1, k*1000+1000) i; commit; end loop; end $$`);
  await client.query("call bench_fill()");
}
export async function dropSlot(client: Client, slot: string): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const { rows } = await client.query<{ active: boolean }>("select active from pg_replication_slots where slot_name = $1", [slot]);
    if (rows[0] === undefined) return;
    if (!rows[0].active) {
      await client.query("select pg_drop_replication_slot($1)", [slot]);
      return;
    }
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error(`slot ${slot} stays busy`);
}
export function sourceConfig(
  server: Server,
  prefix: string,
  table: string,
  slot: string,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "tasks.max": "1",
    "database.hostname": server.host,
    "database.port": String(server.port),
    "database.user": server.user,
    "database.password": "x",
    "database.dbname": server.database,
    "topic.prefix": prefix,
    "plugin.name": "pgoutput",
    "slot.name": slot,
    "publication.name": `pub_${table}`,
    "publication.autocreate.mode": "disabled",
    "table.include.list": `public.${table}`,
    ...PLAIN_JSON,
    ...more,
  };
}
