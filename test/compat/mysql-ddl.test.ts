/** Random statements on real servers: what the parser makes of them against information_schema. */
import fc from "fast-check";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Column, Table } from "#connectors/cdc/table-model";
import { MysqlSchema } from "#connectors/mysql/ddl/schema";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlOrReason } from "../peers/mysql-server.ts";

const DATABASE = "ddl_property";
const one = <T>(...of: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...of);
const maybe = (text: string): fc.Arbitrary<string> => one("", "", ` ${text}`);

const TYPES = [
  "int|tinyint(1)|smallint unsigned|mediumint(5) zerofill|bigint|integer unsigned|int4|bool|boolean|decimal|decimal(7)|dec(9,3)|numeric(5,2) unsigned|fixed(6,1)",
  "float|float(7,3)|double|double precision|real|bit|bit(9)|char|char(7)|varchar(20)|character varying(5)|national varchar(4)|nchar(3)|varchar(9) binary",
  "text|tinytext|mediumtext|longtext|long|long varchar|varchar(8) character set latin1|text charset utf8mb4 collate utf8mb4_bin|varchar(8) collate latin1_bin",
  "enum('a','b''c')|set('x','y','z')|enum('p') charset latin1|binary(3)|varbinary(9)|blob|tinyblob|mediumblob|long varbinary|char(4) byte|varchar(6) charset binary",
  "date|time(3)|datetime|datetime(6)|timestamp null|year|json|geometry|point|char(3) ascii|varchar(3) unicode",
].flatMap((l) => l.split("|"));
const name = one("a", "b", "`c d`", "`e``f`", "été", "order_", "`select`");
const column = fc
  .tuple(one(...TYPES), maybe("not null"), maybe("comment 'it''s, (x'"), maybe("invisible"), one("", "", "", " default null", " unique"))
  .map(([type, notNull, comment, invisible, rest]) => `${type}${rest === " default null" ? "" : notNull}${rest}${comment}${invisible}`);
const place = fc.oneof(
  one("", "", " first"),
  name.map((n) => ` after ${n}`),
);
const charset = one("latin1", "utf8mb4", "utf8mb3", "latin1 collate latin1_bin", "ascii");
const action = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(name, column, place).map(([n, c, p]) => `add column ${n} ${c}${p}`) },
  fc.tuple(name, column, name, column).map(([n, c, m, d]) => `add (${n} ${c}, ${m} ${d})`),
  { weight: 3, arbitrary: fc.tuple(name, column, place).map(([n, c, p]) => `modify ${n} ${c}${p}`) },
  { weight: 3, arbitrary: fc.tuple(name, name, column, place).map(([n, m, c, p]) => `change ${n} ${m} ${c}${p}`) },
  { weight: 2, arbitrary: name.map((n) => `drop ${n}`) },
  { weight: 2, arbitrary: fc.tuple(name, name).map(([n, m]) => `rename column ${n} to ${m}`) },
  fc.tuple(name, name).map(([n, m]) => `rename column ${n} to ${m}, rename column ${m} to ${n}`),
  name.map((n) => `alter ${n} set default '1'`),
  name.map((n) => `alter ${n} drop default`),
  fc.tuple(name, name).map(([n, m]) => `drop primary key, add primary key (${n}, ${m})`),
  name.map((n) => `add primary key (${n})`),
  one(
    "drop primary key",
    "comment = 'c, d'",
    "engine=innodb",
    "algorithm=copy",
    "add index (a)",
    "add check (a > 0)",
    "force",
    "default collate latin1_bin",
  ),
  charset.map((c) => `convert to character set ${c}`),
  charset.map((c) => `default character set ${c}`),
);
const statement = fc.oneof(
  {
    weight: 10,
    arbitrary: fc
      .oneof(
        action.map((a) => [a]),
        fc.array(action, { minLength: 1, maxLength: 3 }),
      )
      .map((a) => `alter table t ${a.join(", ")}`),
  },
  fc
    .tuple(
      fc.array(fc.tuple(name, column), { minLength: 1, maxLength: 5 }),
      one("", ", primary key (a)", ", unique (b)"),
      maybe("collate utf8mb4_bin"),
    )
    .map(
      ([cs, key, more]) =>
        `drop table if exists t; create table t (${cs.map(([n, c]) => `${n} ${c}`).join(", ")}${key})${more} /*!50100 comment 'v' */`,
    ),
  one(
    "create table if not exists t2 like t",
    "rename table t to t3, t2 to t, t3 to t2",
    "alter table t rename t4",
    "rename table t4 to t",
    "drop table if exists t2",
  ),
  charset.map((c) => `alter database ${DATABASE} character set ${c}`),
  one("create unique index u on t (a)", "drop index `PRIMARY` on t", "truncate table t"),
);

interface Told {
  readonly table: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}
const stored = (c: Column): string | null => {
  const found = (c.detail?.storedCharset ?? c.charsetName)?.toLowerCase() ?? null;
  return found === "utf8" ? "utf8mb3" : found === "binary" ? null : found;
};
/** What both sides say in the same words. `key`: the server's primary key, whose columns Debezium's model may call optional after MODIFY. */
function told(table: Table, key: readonly string[]): Told {
  const own = table.columns.map((c) => {
    const optional = c.optional && !key.includes(c.name);
    return [c.name, optional ? "null" : "not null", stored(c) ?? "-", c.detail?.invisible === true ? "invisible" : "", sizes(c)].join("|");
  });
  return { table: table.id.table, columns: own, key: table.primaryKeyColumnNames };
}
const isDecimal = (c: Column): boolean => /^(DEC|DECIMAL|NUMERIC|FIXED)\b/.test(c.typeName);
const sizes = (c: Column): string =>
  isDecimal(c)
    ? `${c.length},${c.scale}`
    : (c.jdbcType === 12 || c.jdbcType === -9 || c.jdbcType === -3) && c.length !== null && c.typeName.includes("VAR")
      ? `${c.length}`
      : "";

async function servers(c: Connection): Promise<Told[]> {
  const [columns] = await c.query<RowDataPacket[]>(
    `SELECT TABLE_NAME t, COLUMN_NAME n, IS_NULLABLE o, CHARACTER_SET_NAME cs, EXTRA e, DATA_TYPE d, NUMERIC_PRECISION p, NUMERIC_SCALE s, CHARACTER_MAXIMUM_LENGTH l
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '${DATABASE}' ORDER BY TABLE_NAME, ORDINAL_POSITION`,
  );
  const [keys] = await c.query<RowDataPacket[]>(
    `SELECT TABLE_NAME t, COLUMN_NAME n FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = '${DATABASE}' AND CONSTRAINT_NAME = 'PRIMARY'
     ORDER BY TABLE_NAME, ORDINAL_POSITION`,
  );
  const names = [...new Set(columns.map((r) => String(r["t"])))].sort();
  return names.map((table) => ({
    table,
    columns: columns
      .filter((r) => r["t"] === table)
      .map((r) => {
        const size = r["d"] === "decimal" ? `${r["p"]},${r["s"]}` : r["d"] === "varchar" || r["d"] === "varbinary" ? `${r["l"]}` : "";
        const optional = r["o"] === "YES" ? "null" : "not null";
        return [r["n"], optional, r["cs"] ?? "-", /INVISIBLE/i.test(String(r["e"])) ? "invisible" : "", size].join("|");
      }),
    key: keys.filter((r) => r["t"] === table).map((r) => String(r["n"])),
  }));
}
/** JSON is a text in MariaDB, a national type has the server's own character set, `long` varchars say no length. */
const comparable = (flavor: string, ours: Told, theirs: Told): readonly (readonly [string, string])[] =>
  theirs.columns.map((text, i): readonly [string, string] => {
    const mine = ours.columns[i] ?? "";
    const [a, b] = [mine.split("|"), text.split("|")];
    if (flavor === "mariadb" && a[2] === "-" && b[2] === "utf8mb4") b[2] = "-";
    // Debezium's model takes a unique key for the key, and keeps NOT NULL of its columns at CHANGE as it does for a primary key's.
    if (theirs.key.length === 0 && a[0] !== undefined && ours.key.includes(a[0]) && a[1] === "not null") b[1] = "not null";
    return [a.join("|"), b.join("|")];
  });

describe.each([
  ["mysql", 25_001, startMysql],
  ["mariadb", 25_002, startMariadb],
] as const)("%s", (flavor, port, start) => {
  let peer: MysqlOrReason;
  let connection: Connection;
  beforeAll(async () => {
    peer = await start({ port });
    if (!("reason" in peer)) connection = await peer.connect();
  }, 120_000);
  afterAll(async () => {
    if (!("reason" in peer)) await peer.stop();
  });
  test("random statements", async (context) => {
    if ("reason" in peer) return context.skip(peer.reason);
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { minLength: 8, maxLength: 30, size: "max" }), async (list) => {
        const schema = new MysqlSchema({ flavor });
        const begin = [
          `DROP DATABASE IF EXISTS ${DATABASE}`,
          `CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`,
          `USE ${DATABASE}`,
          "create table t (a int, b varchar(9), `c d` text, été decimal(5,2), order_ varchar(3) charset latin1)",
        ];
        for (const sql of begin) {
          await connection.query(sql);
          schema.apply(sql, { database: DATABASE });
        }
        for (const sql of list.flatMap((s) => s.split("; "))) {
          try {
            await connection.query(sql);
          } catch {
            continue;
          }
          accepted++;
          schema.apply(sql, { database: DATABASE });
          const theirs = await servers(connection);
          const ours = [...schema.tables.values()]
            .map((t) => told(t, theirs.find((x) => x.table === t.id.table)?.key ?? []))
            .sort((a, b) => (a.table < b.table ? -1 : 1));
          expect(
            ours.map((t) => t.table),
            sql,
          ).toEqual(theirs.map((t) => t.table));
          for (const [i, table] of theirs.entries()) {
            const own = ours[i];
            if (own === undefined) continue;
            expect(own.columns.length, sql).toBe(table.columns.length);
            const pairs = comparable(flavor, own, table);
            expect(
              pairs.map(([mine]) => mine),
              sql,
            ).toEqual(pairs.map(([, server]) => server));
            // Without a primary key the model takes a unique key for it.
            if (table.key.length > 0) expect(own.key, sql).toEqual(table.key);
          }
        }
      }),
      { numRuns: 30, seed: Number(process.env["SEED"] ?? 201) },
    );
    expect(accepted).toBeGreaterThan(100);
  }, 180_000);
});
