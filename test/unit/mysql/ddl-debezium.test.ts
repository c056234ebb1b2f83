/** Debezium's own results, event for event and field for field: its recorded runs, and its parser on statements of all kinds. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { changeJson } from "#connectors/cdc/schema-history/history-json";
import { quotedTableId, type Table } from "#connectors/cdc/table-model";
import { UncertainDdl } from "#connectors/mysql/ddl/ddl";
import { MysqlSchema } from "#connectors/mysql/ddl/schema";

const lines = (name: string): string[] =>
  readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8")
    .trim()
    .split("\n");
interface Golden {
  readonly case: string;
  readonly records: readonly (readonly [database: string, ddl: string, changes: readonly object[]])[];
}
interface Oracle {
  readonly flavor: "mysql" | "mariadb";
  readonly before: readonly string[];
  readonly ddl: string;
  readonly error?: boolean;
  readonly events?: readonly (readonly [string, string, string | null, string])[];
  readonly tables?: readonly object[];
  readonly gone?: readonly string[];
}

describe("recorded runs", () => {
  const cases = lines("ddl-golden.jsonl").map((l): Golden => JSON.parse(l));
  test.each(cases)("$case", ({ case: name, records }) => {
    const schema = new MysqlSchema({ flavor: name.startsWith("mysql/") ? "mysql" : "mariadb" });
    for (const [database, ddl, changes] of records) {
      const { events } = schema.apply(ddl, { database });
      expect(events).toHaveLength(1);
      expect([events[0]?.databaseName, events[0]?.ddl]).toEqual([database, ddl]);
      expect(JSON.stringify(events[0]?.changes.map(changeJson))).toBe(JSON.stringify(changes));
    }
  });
});

/** Where Debezium's parser is wrong about what the server has done, or says less. Listed, so that no other difference comes in unseen. */
const DIFFERENT = new Map<string, string>([
  ["CREATE TABLE q (a int) as select 1", "uncertain, not passed over"],
  ["CREATE TABLE q as select 1", "uncertain, not passed over"],
  ["DROP /*!40005 TEMPORARY */ TABLE IF EXISTS x", "the server runs what is in versioned comments"],
  ["CREATE ALGORITHM=MERGE DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW v AS select 1", "a view is no table"],
  ["ALTER TABLE x ADD COLUMN (d int not null unique, e int)", "Debezium mixes up the two columns"],
  ["ALTER TABLE x ADD d int AFTER nope", "the table is not what was known of it"],
  ["ALTER TABLE x CHANGE a b2 int, CHANGE b a varchar(4)", "CHANGE without NOT NULL makes a column that may be NULL"],
  ["ALTER TABLE x RENAME COLUMN a TO b, RENAME COLUMN b TO a", "Debezium loses a column"],
  ["ALTER TABLE x ADD d int, DROP d", "servers refuse it"],
  ["CREATE TABLE y LIKE nope", "uncertain, not passed over"],
  ["CREATE TABLE x (zz int)", "a table that was created did not exist"],
  ["CREATE OR REPLACE TABLE x (q int)", "the table is replaced"],
  ["ALTER TABLE x ADD COLUMN IF NOT EXISTS c bigint", "the server does nothing"],
  ["ALTER TABLE x ADD COLUMN b int", "the table is not what was known of it"],
  ["ALTER TABLE x ADD PRIMARY KEY (a), DROP PRIMARY KEY", "servers drop first"],
  ["ALTER TABLE x CHANGE b b varchar(9)", "CHANGE without NOT NULL makes a column that may be NULL"],
  ["ALTER TABLE x CHANGE b bb int", "CHANGE without NOT NULL makes a column that may be NULL"],
  ["ALTER TABLE x CHANGE b b varchar(9) default 'z'", "CHANGE without NOT NULL makes a column that may be NULL"],
  ["ALTER TABLE x CHANGE f f int", "CHANGE without NOT NULL makes a column that may be NULL"],
  ["ALTER TABLE x CHANGE f f decimal", "CHANGE without NOT NULL makes a column that may be NULL"],
  ["ALTER TABLE x CHANGE e e int", "a number has no enumeration"],
  ["ALTER TABLE x RENAME COLUMN u TO U", "the name is the new one"],
]);
const created = (table: Table): string => JSON.stringify(changeJson({ type: "CREATE", id: table.id, previousId: null, table }));
function ours(o: Oracle): Pick<Oracle, "events" | "gone"> & { readonly tables: readonly string[] } {
  const schema = new MysqlSchema({ flavor: o.flavor, comments: false });
  for (const ddl of o.before) schema.apply(ddl, { database: "d1" });
  const texts = (): Map<string, string> => new Map([...schema.tables.values()].map((t) => [quotedTableId(t.id), created(t)]));
  const before = texts();
  const { events } = schema.apply(o.ddl, { database: "d1" });
  const after = texts();
  return {
    events: events.filter((e) => !e.whole).map((e) => [e.type, e.databaseName, e.table === null ? null : quotedTableId(e.table), e.ddl]),
    tables: [...after]
      .filter(([id, text]) => before.get(id) !== text)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, text]) => text),
    gone: [...before.keys()].filter((id) => !after.has(id)).sort(),
  };
}
describe("Debezium's parser", () => {
  const oracle = lines("ddl-debezium.jsonl").map((l): Oracle => JSON.parse(l));
  test("what it can read is read alike, but for what is listed", () => {
    const different = new Set<string>();
    let same = 0;
    for (const o of oracle.filter((x) => x.error !== true)) {
      let got: object | null = null;
      try {
        got = ours(o);
      } catch (error) {
        expect(error).toBeInstanceOf(UncertainDdl);
      }
      const want = { events: o.events, tables: o.tables?.map((t) => JSON.stringify(t)), gone: o.gone };
      if (JSON.stringify(got) === JSON.stringify(want)) same++;
      else different.add(o.ddl);
    }
    expect([...different].filter((ddl) => !DIFFERENT.has(ddl))).toEqual([]);
    expect([...DIFFERENT.keys()].filter((ddl) => !different.has(ddl))).toEqual([]);
    expect(same).toBeGreaterThan(750);
  });
  test("most of what it cannot read is read; what no server takes is uncertain", () => {
    const refused = oracle
      .filter((o) => o.error === true)
      .filter((o) => {
        try {
          ours(o);
          return false;
        } catch (error) {
          expect(error).toBeInstanceOf(UncertainDdl);
          return true;
        }
      });
    expect([...new Set(refused.map((o) => o.ddl))]).toEqual([
      "CREATE TABLE k (a int, c binary varying(3))",
      "CREATE TABLE k (a int, c int nextval)",
      "CREATE TABLE k (a int, c varchar(10) charset=latin1)",
      "CREATE TABLE q (primary key (a)) select 1 as a",
      "CREATE TABLE q start transaction",
      "CREATE TABLE q (a.b int)",
      "CREATE TABLE q (q.a int)",
      "CREATE TABLE q (`a` int, )",
      "garbage here",
      "ALTER TABLE x MODIFY nope int",
      "ALTER TABLE x CHANGE nope n2 int",
      "ALTER TABLE x RENAME COLUMN nope TO n2",
    ]);
  });
});
