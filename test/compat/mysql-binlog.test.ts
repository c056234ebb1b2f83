/** The binary log's stream from real servers: what rows say against what SELECT says, and what happens when a stream breaks. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MysqlGtidSet } from "#connectors/mysql/binlog/gtid-mysql";
import { jsonText } from "#connectors/mysql/binlog/json";
import { applyJsonDiffs } from "#connectors/mysql/binlog/json-diff";
import { RowCursor } from "#connectors/mysql/binlog/rows";
import { type BinlogEvent, FORM_JSON_DIFF, type TableColumn } from "#connectors/mysql/binlog/types";
import { connect } from "#connectors/mysql/connection";
import { BinlogStream } from "#connectors/mysql/replication";
import type { StreamStart } from "#connectors/mysql/replication-commands";
import type { StreamError } from "#connectors/mysql/replication-failures";
import type { MysqlServer, SslMode } from "#connectors/mysql/server-settings";
import { seeded } from "../chaos/millrace-process.ts";
import { render, typesTable } from "../peers/binlog-rows.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlOrReason, MysqlPeer } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";

const [PORT = 0] = await freePorts(2);

const WAIT_MS = 20_000;
const SEED = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20260509);
const CHANGES = 150;
const serverOf = (peer: MysqlPeer, ssl: SslMode = "disabled", user = peer.user, password = peer.password): MysqlServer => ({
  host: peer.host,
  port: peer.port,
  user,
  password,
  ssl,
  trust: null,
  key: null,
  connectTimeoutMs: 5000,
  queryTimeoutMs: 0,
  initialStatements: [],
});
const inner = (event: BinlogEvent): readonly BinlogEvent[] => (event.kind === "transactionPayload" ? [...event.events()] : [event]);

/** Streams until `enough` says so; events refer to memory that is not reused. */
async function read(
  server: MysqlServer,
  start: StreamStart,
  enough: (events: readonly BinlogEvent[]) => boolean,
): Promise<{ events: BinlogEvent[]; end: StreamError | null }> {
  const events: BinlogEvent[] = [];
  let end: StreamError | null = null;
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const timer = setTimeout(finish, WAIT_MS);
  const consumer = {
    ready: true,
    event(event: BinlogEvent): void {
      events.push(...inner(event));
      if (enough(events)) finish();
    },
    flushed(): void {},
  };
  const options = { start, serverId: 4711, heartbeatMs: 1000, verifyChecksum: true, unpackedMaxBytes: 1 << 28 };
  const stream = await BinlogStream.open(server, options, consumer, (error) => {
    end = error;
    finish();
  });
  await finished;
  clearTimeout(timer);
  await stream.close();
  return { events, end };
}
const rowsIn = (events: readonly BinlogEvent[], table: string): (string | null)[][] => {
  const cursor = new RowCursor();
  const rows: (string | null)[][] = [];
  for (const e of events) {
    if (e.kind !== "rows" || e.table.table !== table) continue;
    cursor.open(e);
    while (cursor.next()) rows.push(e.table.columns.map((c, i) => render(c, cursor.after, i, e.bytes)));
  }
  return rows;
};
const count = (events: readonly BinlogEvent[], table: string): number => rowsIn(events, table).length;

const SERVERS: readonly (readonly [string, boolean, () => Promise<MysqlOrReason>])[] = [
  ["MySQL", false, () => startMysql({ port: PORT, arguments: ["--binlog-row-metadata=FULL", "--max-allowed-packet=64M"] })],
  ["MariaDB", true, () => startMariadb({ port: PORT + 1, arguments: ["--binlog-row-metadata=FULL", "--max-allowed-packet=64M"] })],
];

describe.each(SERVERS)("%s", (name, mariadb, begin) => {
  let peer: MysqlPeer;
  let reason = "";
  let sql: Connection;
  beforeAll(async () => {
    const started = await begin();
    if ("reason" in started) {
      reason = started.reason;
      return;
    }
    peer = started;
    sql = await peer.connect();
    await sql.query("CREATE DATABASE b CHARACTER SET utf8mb4; USE b");
  });
  afterAll(async () => {
    if (reason === "") await peer.stop();
  });
  const position = async (): Promise<Extract<StreamStart, { by: "position" }>> => {
    const [rows] = await sql.query<RowDataPacket[]>(mariadb ? "SHOW MASTER STATUS" : "SHOW BINARY LOG STATUS");
    return { by: "position", file: String(rows[0]?.["File"]), position: Number(rows[0]?.["Position"]) };
  };
  const gtids = async (): Promise<StreamStart> => {
    const [rows] = await sql.query<RowDataPacket[]>(mariadb ? "SELECT @@gtid_binlog_pos g" : "SELECT @@gtid_executed g");
    const text = String(rows[0]?.["g"]);
    return mariadb ? { by: "mariadbGtid", position: text } : { by: "mysqlGtid", executed: MysqlGtidSet.parse(text) };
  };

  test("every type, as SELECT says it", async (context) => {
    if (reason !== "") context.skip(reason);
    await sql.query("FLUSH BINARY LOGS");
    const start = await position();
    const table = typesTable(mariadb);
    await sql.query(table.create);
    for (const statement of table.inserts) await sql.query(statement);
    const [selected] = await sql.query<RowDataPacket[][]>({ sql: table.select, rowsAsArray: true });
    const spaced = (v: string): string => (/^[[{]/.test(v) && !mariadb ? JSON.stringify(JSON.parse(v)) : v);
    const expected = selected.map((row) => Array.from(row, (v: unknown) => (typeof v === "string" ? spaced(v) : null)));
    const { events } = await read(serverOf(peer), start, (e) => count(e, "types") >= expected.length);
    const got = rowsIn(events, "types");
    expect(got).toEqual(expected);
    if (process.env["RECORD_BINLOG"] === "1" && peer.dataFolder !== null) {
      const to = join(import.meta.dirname, "../unit/mysql/binlog/fixtures", `types-${name.toLowerCase()}`);
      writeFileSync(`${to}.binlog`, readFileSync(join(peer.dataFolder, "data", start.file)));
      writeFileSync(`${to}.json`, `${JSON.stringify(got, null, 1)}\n`);
    }
  });

  test(`random changes under every row image, replayed, are the table (seed ${SEED})`, async (context) => {
    if (reason !== "") context.skip(reason);
    const random = seeded(SEED);
    const some = (n: number): number => Math.floor(random() * n);
    const start = await position();
    const table = typesTable(mariadb);
    const named = (statement: string): string => statement.replace("TABLE types", "TABLE mixed").replace("INTO types", "INTO mixed");
    await sql.query(named(table.create));
    for (const statement of table.inserts) await sql.query(named(statement));
    const columns = [...table.create.matchAll(/\b(c\d+) /g)].map((m) => m[1] ?? "");
    let ids = table.inserts.map((_, i) => i);
    for (let step = 0; step < CHANGES; step++) {
      const image = ["FULL", "MINIMAL", "NOBLOB"][some(3)];
      await sql.query(`SET SESSION binlog_row_image=${image}`);
      await sql.query(mariadb ? `SET GLOBAL log_bin_compress=${some(2)}` : `SET SESSION binlog_transaction_compression=${some(2)}`);
      const kind = random(),
        from = ids[some(ids.length)] ?? 0,
        to = ids[some(ids.length)] ?? 0;
      if (kind < 0.3) {
        await sql.query(`INSERT INTO mixed SELECT ${1000 + step}, ${columns.join(",")} FROM mixed WHERE id = ${from}`);
        ids.push(1000 + step);
      } else if (kind < 0.85 || ids.length < 3) {
        const changed = columns.filter(() => random() < 0.15);
        if (changed.length === 0) continue;
        const sets = changed.map((c) => `a.${c} = s.${c}`).join(",");
        await sql.query(`UPDATE mixed a JOIN (SELECT * FROM mixed WHERE id = ${from}) s SET ${sets} WHERE a.id IN (${to}, ${ids[0]})`);
      } else {
        await sql.query(`DELETE FROM mixed WHERE id = ${to}`);
        ids = ids.filter((id) => id !== to);
      }
    }
    await sql.query("SET SESSION binlog_row_image=FULL; CREATE TABLE mixed_end (id int primary key); INSERT INTO mixed_end VALUES (1)");
    const { events } = await read(serverOf(peer), start, (e) => count(e, "mixed_end") >= 1);
    const state = new Map<string, (string | null)[]>();
    const cursor = new RowCursor();
    for (const e of events) {
      if (e.kind !== "rows" || e.table.table !== "mixed") continue;
      cursor.open(e);
      while (cursor.next()) {
        const idOf = render(e.table.columns[0] as TableColumn, e.change === "write" ? cursor.after : cursor.before, 0, e.bytes) ?? "";
        if (e.change === "delete") {
          expect(state.delete(idOf)).toBe(true);
          continue;
        }
        const before = state.get(idOf) ?? [];
        const now = e.table.columns.map((c, i) => render(c, cursor.after, i, e.bytes));
        const row = now.map((v, i) => (v === "(absent)" ? (before[i] ?? null) : v));
        state.set(idOf, row);
      }
    }
    const [selected] = await sql.query<RowDataPacket[][]>({ sql: table.select.replace("FROM types", "FROM mixed"), rowsAsArray: true });
    const spaced = (v: string): string => (/^[[{]/.test(v) && !mariadb ? JSON.stringify(JSON.parse(v)) : v);
    const expected = selected.map((row) => Array.from(row, (v: unknown) => (typeof v === "string" ? spaced(v) : null)));
    expect([...state.values()].toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual(expected);
  });

  test("GTIDs: only what the set does not have", async (context) => {
    if (reason !== "") context.skip(reason);
    await sql.query("CREATE TABLE g (id int primary key, t varchar(100)); INSERT INTO g VALUES (1, 'before')");
    if (!mariadb) await sql.query("SET gtid_next='AUTOMATIC:some_tag'; INSERT INTO g VALUES (2, 'before'); SET gtid_next='AUTOMATIC'");
    const start = await gtids();
    await sql.query("INSERT INTO g VALUES (3, 'after')");
    if (!mariadb) await sql.query("SET gtid_next='AUTOMATIC:some_tag'; INSERT INTO g VALUES (4, 'after'); SET gtid_next='AUTOMATIC'");
    const { events } = await read(serverOf(peer), start, (e) => count(e, "g") >= (mariadb ? 1 : 2));
    expect(rowsIn(events, "g").map((r) => r[0])).toEqual(mariadb ? ["3"] : ["3", "4"]);
    const named = events.flatMap((e) => (e.kind === "mysqlGtid" ? [e.gtid?.tag] : e.kind === "mariadbGtid" ? [e.text] : []));
    if (!mariadb) expect(named).toEqual(["", "some_tag"]);
    else expect(named).toHaveLength(1);
    // What the events say, added up, is what the server says.
    if (start.by === "mysqlGtid") {
      const all = start.executed.copy();
      for (const e of events) if (e.kind === "mysqlGtid" && e.gtid !== null) all.add(e.gtid.uuid, e.gtid.tag, e.gtid.number);
      const now = await gtids();
      expect(now.by === "mysqlGtid" && now.executed.toString()).toBe(all.toString());
    }
  });

  test("an event above 16 MB, packed transactions and events, minimal images", async (context) => {
    if (reason !== "") context.skip(reason);
    await sql.query("CREATE TABLE big (id int primary key, t longtext, u int)");
    const start = await position();
    const on = mariadb ? "SET GLOBAL log_bin_compress=1" : "SET SESSION binlog_transaction_compression=ON";
    const off = on.replace(/1$|ON$/, mariadb ? "0" : "OFF");
    await sql.query("INSERT INTO big VALUES (1, repeat('a', 20000000), 0)");
    await sql.query(`${on}; INSERT INTO big VALUES (2, repeat('b', 18000000), 0); ${off}`);
    await sql.query("SET SESSION binlog_row_image=MINIMAL; UPDATE big SET u=5 WHERE id=2; SET SESSION binlog_row_image=FULL");
    const { events, end } = await read(serverOf(peer), start, (e) => count(e, "big") >= 3);
    expect(end).toBeNull();
    const got = rowsIn(events, "big");
    expect(got.map((r) => [r[0], r[1]?.length, r[2]])).toEqual([
      ["1", 20000000, "0"],
      ["2", 18000000, "0"],
      ["(absent)", "(absent)".length, "5"],
    ]);
  });

  test("partial JSON updates give the document that SELECT gives", async (context) => {
    if (reason !== "" || mariadb) context.skip(mariadb ? "MariaDB stores JSON as text" : reason);
    await sql.query(
      `CREATE TABLE pj (id int primary key, j json); INSERT INTO pj VALUES (1, '{"a":{"b":[1,2,{"c":"x"}],"long name":1},"zz":"${"y".repeat(300)}"}')`,
    );
    const start = await position();
    const [selected]: string[][] = [[]];
    await sql.query("SET SESSION binlog_row_value_options=PARTIAL_JSON");
    for (const change of [
      "json_replace(j, '$.a.b[2].c', 'other')",
      "json_set(j, '$.a.new', json_object('k', 1.5))",
      "json_remove(j, '$.a.b[0]')",
      "json_set(j, '$.a.\"with space\"', null, '$.a.b[9]', true)",
      "json_remove(j, '$.a.\"long name\"')",
      "json_array_insert(j, '$.a.b[0]', 'first')",
    ]) {
      await sql.query(`UPDATE pj SET j = ${change}`);
      const [rows] = await sql.query<RowDataPacket[]>("SELECT cast(j as char) j FROM pj");
      selected?.push(JSON.stringify(JSON.parse(String(rows[0]?.["j"]))));
    }
    await sql.query("SET SESSION binlog_row_value_options=''");
    const changes = selected?.length ?? 0;
    const { events } = await read(serverOf(peer), start, (e) => e.filter((x) => x.kind === "rows").length >= changes);
    const cursor = new RowCursor();
    let diffs = 0;
    const got = events.flatMap((e) => {
      if (e.kind !== "rows") return [];
      cursor.open(e);
      cursor.next();
      const { before, after } = cursor;
      const [s = 0, n = 0] = [after.starts[1], after.ends[1]];
      const partial = e.partialJson && after.forms[1] === FORM_JSON_DIFF;
      if (partial) diffs++;
      return [partial ? applyJsonDiffs(e.bytes, before.starts[1] ?? 0, before.ends[1] ?? 0, e.bytes, s, n) : jsonText(e.bytes, s, n)];
    });
    expect(got.map((text) => JSON.stringify(JSON.parse(text)))).toEqual(selected);
    expect(diffs).toBeGreaterThan(2);
  });

  test("logins, and TLS in every mode", async (context) => {
    if (reason !== "") context.skip(reason);
    const kinds = mariadb ? (["mysql_native_password"] as const) : (["caching_sha2_password", "sha256_password"] as const);
    // MariaDB makes itself a certificate from 11.4 on.
    const [has] = await sql.query<RowDataPacket[]>("SHOW VARIABLES LIKE 'have_ssl'");
    const hasTls = !mariadb || has[0]?.["Value"] === "YES";
    const tls = hasTls ? (["disabled", "preferred", "required"] as const) : (["disabled", "preferred"] as const);
    for (const kind of kinds) {
      await sql.query(
        mariadb
          ? "CREATE OR REPLACE USER u IDENTIFIED BY 'a secret'; GRANT ALL ON *.* TO u"
          : `DROP USER IF EXISTS u; CREATE USER u IDENTIFIED WITH ${kind} BY 'a secret'; GRANT ALL ON *.* TO u`,
      );
      for (const mode of tls) {
        const c = await connect(serverOf(peer, mode, "u", "a secret"));
        const [rows] = await c.query<RowDataPacket[]>("SHOW STATUS LIKE 'Ssl_cipher'");
        expect(String(rows[0]?.["Value"]) !== "").toBe(hasTls && mode !== "disabled");
        await c.end();
      }
    }
    await expect(connect(serverOf(peer, "disabled", "u", "wrong"))).rejects.toMatchObject({ errno: 1045 });
    // Nobody vouches for the server's own certificate, but its own authority, and that not for its address.
    await expect(connect(serverOf(peer, "verify_ca"))).rejects.toThrow();
    if (!mariadb && peer.dataFolder !== null) {
      const trust = { path: join(peer.dataFolder, "data/ca.pem"), password: null };
      const c = await connect({ ...serverOf(peer, "verify_ca"), trust });
      await c.end();
      const named = { ...serverOf(peer, "verify_identity"), trust, host: "localhost" };
      await expect(connect(named)).rejects.toThrow(/altnames|Hostname|does not match/i);
    }
    if (!mariadb) return;
    const plugin = await sql.query("INSTALL SONAME 'auth_ed25519'").then(
      () => true,
      () => false,
    );
    if (!plugin) context.skip("this MariaDB has no auth_ed25519 plugin");
    await sql.query("CREATE OR REPLACE USER e IDENTIFIED VIA ed25519 USING PASSWORD('gehéim'); GRANT ALL ON *.* TO e");
    const c = await connect(serverOf(peer, "disabled", "e", "gehéim"));
    await c.end();
    await expect(connect(serverOf(peer, "disabled", "e", "other"))).rejects.toMatchObject({ errno: 1045 });
  });

  test("rotated, purged, killed", async (context) => {
    if (reason !== "") context.skip(reason);
    const first = await position();
    await sql.query("CREATE TABLE r (id int primary key); INSERT INTO r VALUES (1); FLUSH BINARY LOGS; INSERT INTO r VALUES (2)");
    const { events } = await read(serverOf(peer), first, (e) => count(e, "r") >= 2);
    expect(rowsIn(events, "r")).toEqual([["1"], ["2"]]);
    expect(events.some((e) => e.kind === "rotate" && !e.artificial)).toBe(true);
    const now = await position();
    // A log is not purged as long as a stream that was cut still holds it: until its next heartbeat.
    for (let attempts = 0; attempts < 50; attempts++) {
      await sql.query(`PURGE BINARY LOGS TO '${now.file}'`);
      const [logs] = await sql.query<RowDataPacket[]>("SHOW BINARY LOGS");
      if (logs.length === 1) break;
      await new Promise((r) => setTimeout(r, 200));
    }
    await expect(read(serverOf(peer), first, () => true)).rejects.toMatchObject({
      name: "StreamError",
      code: "purged",
      errno: 1236,
      transient: false,
    });
    const none: StreamStart = mariadb ? { by: "mariadbGtid", position: "0-1-1" } : { by: "mysqlGtid", executed: new MysqlGtidSet() };
    await expect(read(serverOf(peer), none, () => true)).rejects.toMatchObject({ code: "purged" });
    if (peer.dataFolder === null) context.skip("the server is not ours to kill");
    const streaming = read(serverOf(peer), now, () => false);
    await new Promise((r) => setTimeout(r, 500));
    await peer.kill();
    expect((await streaming).end).toMatchObject({ code: "connection", transient: true });
    await expect(read(serverOf(peer), now, () => true)).rejects.toMatchObject({ transient: true });
    await peer.start();
    sql = await peer.connect("b");
    await sql.query("INSERT INTO r VALUES (3)");
    const after = await read(serverOf(peer), now, (e) => count(e, "r") >= 1);
    expect(rowsIn(after.events, "r")).toContainEqual(["3"]);
  });
});
