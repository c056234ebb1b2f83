/** Databases that a sink writes into, which can be killed and whose rows somebody else can hold. */
import type { Connection, RowDataPacket } from "mysql2/promise";
import pg from "pg";
import { startMariadb } from "../peers/mariadb.ts";
import type { MysqlPeer } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";
import { startPostgres } from "../peers/postgres.ts";
import { sleep } from "./millrace-process.ts";

export interface SinkTarget {
  readonly connection: Readonly<Record<string, string>>;
  /** [id, n] by id. Throws while the server is away. */
  rows(): Promise<readonly (readonly [number, number])[]>;
  /** The largest n; -1 while there is no table. */
  largest(): Promise<number>;
  /** A transaction of somebody else that holds this row, until the server dies or `crossWithBatch`. */
  hold(id: number): Promise<void>;
  /** Whether the sink's transaction waits for a lock. */
  batchWaits(): Promise<boolean>;
  /** The holder wants a row that the batch has: the server ends the batch. Then the holder lets go. False: it was not so. */
  crossWithBatch(): Promise<boolean>;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}
export type Fault = "killed in a batch" | "deadlock" | "away";
type TargetOrReason = SinkTarget | { readonly reason: string };

async function postgresTarget(): Promise<TargetOrReason> {
  const [port = 0] = await freePorts(1);
  // A session looks for a deadlock once, so long after it began to wait, and is the one that is ended: the sink's, before the holder's.
  const peer = await startPostgres(port, ["deadlock_timeout=1500ms"]);
  if ("reason" in peer) return peer;
  await peer.database("sink");
  const ask = async (sql: string): Promise<pg.QueryResult<Record<string, number>>> => {
    const client = new pg.Client({ host: peer.host, port, user: peer.user, database: "sink" });
    client.on("error", () => {});
    await client.connect();
    try {
      return await client.query<Record<string, number>>(sql);
    } finally {
      await client.end();
    }
  };
  let holder: pg.Client | null = null;
  let held = -1;
  let back = (): void => {};
  let restarted = Promise.resolve();
  return {
    connection: {
      "connection.url": `jdbc:postgresql://${peer.host}:${port}/sink`,
      "connection.username": peer.user,
      "connection.password": "",
    },
    rows: async () => (await ask("select id, n from t order by id")).rows.map((r) => [Number(r["id"]), Number(r["n"])] as const),
    largest: async () => Number((await ask("select coalesce(max(n), -1) as n from t")).rows[0]?.["n"]),
    async hold(id) {
      held = id;
      holder = new pg.Client({ host: peer.host, port, user: peer.user, database: "sink" });
      holder.on("error", () => {});
      await holder.connect();
      await holder.query(
        `set deadlock_timeout = '4s'; begin; insert into t (id, n) values (${id}, 0) on conflict (id) do update set n = t.n`,
      );
    },
    batchWaits: async () =>
      (await ask("select 1 as n from pg_stat_activity where application_name like 'millrace %' and wait_event_type = 'Lock'")).rows.length >
      0,
    async crossWithBatch() {
      // What somebody else skips is locked: by the holder, or by the batch.
      const taken = await ask("select id from t where id not in (select id from (select id from t for update skip locked) as free)");
      const wanted = taken.rows.map((r) => Number(r["id"])).find((id) => id !== held);
      // The batch waits for the holder: this comes back only when the server has ended the batch, or else the holder.
      const ended =
        wanted !== undefined && (await holder?.query(`select 1 from t where id = ${wanted} for update`).catch(() => null)) !== null;
      await holder?.query("rollback");
      await holder?.end();
      return ended;
    },
    async kill() {
      const away = new Promise<void>((resume) => (back = resume));
      const down = new Promise<void>((gone) => {
        restarted = peer.crash(() => {
          gone();
          return away;
        });
      });
      await down;
    },
    async start() {
      back();
      await restarted;
    },
    stop: () => peer.stop(),
  };
}

async function mariadbTarget(): Promise<TargetOrReason> {
  const [port = 0] = await freePorts(1);
  const peer: MysqlPeer | { readonly reason: string } = await startMariadb({ port });
  if ("reason" in peer) return peer;
  if (peer.dataFolder === null) return { reason: "the server is somebody else's, and may not be killed" };
  const root = await peer.connect();
  await root.query("create database sink; create user 'sinker'@'%' identified by 'secret'; grant all on sink.* to 'sinker'@'%'");
  const ask = async (sql: string): Promise<readonly RowDataPacket[]> => {
    const client = await peer.connect("sink");
    try {
      return (await client.query<RowDataPacket[]>(sql))[0];
    } finally {
      client.destroy();
    }
  };
  let holder: Connection | null = null;
  return {
    connection: {
      "connection.url": `jdbc:mariadb://${peer.host}:${peer.port}/sink`,
      "connection.username": "sinker",
      "connection.password": "secret",
    },
    rows: async () => (await ask("select id, n from t order by id")).map((r) => [Number(r["id"]), Number(r["n"])] as const),
    largest: async () => Number((await ask("select coalesce(max(n), -1) as n from t"))[0]?.["n"]),
    async hold(id) {
      holder = await peer.connect("sink");
      await holder.query(`begin; insert into t (id, n) values (${id}, 0) on duplicate key update n = t.n`);
    },
    async batchWaits() {
      // The server shows what it saw last as long as somebody has asked within the last 100 ms.
      await sleep(150);
      return (await ask("select 1 from information_schema.innodb_trx where trx_state = 'LOCK WAIT'")).length > 0;
    },
    crossWithBatch: () => Promise.reject(new Error("InnoDB ends the transaction that changed least: the holder, not the batch")),
    async kill() {
      holder?.destroy();
      await peer.kill();
    },
    start: () => peer.start(),
    stop: () => peer.stop(),
  };
}

export const TARGETS: readonly {
  readonly name: string;
  readonly faults: readonly Fault[];
  readonly open: () => Promise<TargetOrReason>;
}[] = [
  { name: "PostgreSQL", faults: ["killed in a batch", "deadlock", "away"], open: postgresTarget },
  { name: "MariaDB", faults: ["killed in a batch", "away"], open: mariadbTarget },
];
