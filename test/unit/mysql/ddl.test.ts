/** What the server has where Debezium's model says less or nothing; texts that are hard to read; speed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Table } from "#connectors/cdc/table-model";
import { contextOf, UncertainDdl } from "#connectors/mysql/ddl/ddl";
import { MysqlSchema } from "#connectors/mysql/ddl/schema";

type Flavor = "mysql" | "mariadb";
function schemaOf(flavor: Flavor, ...ddl: string[]): MysqlSchema {
  const schema = new MysqlSchema({ flavor });
  for (const text of ["SET character_set_server=utf8mb4, collation_server=utf8mb4_bin", "CREATE DATABASE d CHARSET utf8mb4", ...ddl])
    schema.apply(text, { database: "d" });
  return schema;
}
function table(schema: MysqlSchema, name: string): Table {
  const found = schema.tables.get({ catalog: "d", schema: null, table: name });
  if (found === undefined) throw new Error(`no table ${name}`);
  return found;
}
const columns = (flavor: Flavor, ...ddl: string[]): string[] => table(schemaOf(flavor, ...ddl), "t").columns.map((c) => c.name);
const uncertain = (flavor: Flavor, ddl: string): UncertainDdl => {
  const schema = schemaOf(flavor, "CREATE TABLE t (a int)");
  const before = JSON.stringify(schema.save());
  try {
    schema.apply(ddl, { database: "d" });
  } catch (error) {
    expect(JSON.stringify(schema.save())).toBe(before);
    if (error instanceof UncertainDdl) return error;
    throw error;
  }
  throw new Error(`not uncertain: ${ddl}`);
};

describe("the bytes' character set", () => {
  const stored = (flavor: Flavor, ...ddl: string[]): string[] =>
    table(schemaOf(flavor, ...ddl), "t").columns.map((c) => c.detail?.storedCharset ?? c.charsetName ?? "-");
  test("CONVERT TO, with columns added beside it", () => {
    expect(stored("mysql", "CREATE TABLE t (a varchar(3), b int)", "ALTER TABLE t CONVERT TO CHARACTER SET latin1, ADD c text")).toEqual([
      "latin1",
      "-",
      "latin1",
    ]);
    expect(
      stored("mysql", "CREATE TABLE t (a varchar(3))", "ALTER TABLE t CONVERT TO CHARACTER SET latin1", "ALTER TABLE t ADD b text"),
    ).toEqual(["latin1", "latin1"]);
    expect(
      stored("mysql", "CREATE TABLE t (a text)", "ALTER TABLE t CONVERT TO CHARSET latin1", "ALTER TABLE t CONVERT TO CHARSET utf8mb4"),
    ).toEqual(["utf8mb4"]);
  });
  test("CONVERT TO, over what the same statement says of a column", () => {
    const ddl = "ALTER TABLE t CONVERT TO CHARACTER SET latin1, MODIFY a char(3) CHARSET latin2, ADD b varchar(3) CHARSET binary";
    expect(stored("mysql", "CREATE TABLE t (a char(3))", ddl)).toEqual(["latin1", "binary"]);
  });
  test("a collation alone, of table, database, column and enumeration", () => {
    expect(stored("mysql", "CREATE TABLE t (a text, b set('x') COLLATE latin2_bin) COLLATE latin1_bin")).toEqual(["latin1", "latin2"]);
    expect(stored("mariadb", "ALTER DATABASE d COLLATE latin1_bin", "CREATE TABLE t (a text)")).toEqual(["latin1"]);
    expect(stored("mariadb", "CREATE TABLE t (a text) COLLATE uca1400_ai_ci")).toEqual(["utf8mb4"]);
  });
  test("a new default does not change the columns", () => {
    expect(stored("mysql", "CREATE TABLE t (a text)", "ALTER TABLE t CHARSET latin1", "ALTER TABLE t ADD b text")).toEqual([
      "utf8mb4",
      "latin1",
    ]);
  });
});
describe("comments with versions", () => {
  test("hold columns", () => {
    expect(columns("mysql", "CREATE TABLE t (a int /*!50100 , b int */ /*!999999 , c int */ /*M! , d int */)")).toEqual(["a", "b"]);
    expect(columns("mariadb", "CREATE TABLE t (a int /*!50100 , b int */ /*!80000 , c int */ /*M!100100 , d int */)")).toEqual([
      "a",
      "b",
      "d",
    ]);
  });
  test("a server's version", () => {
    const schema = new MysqlSchema({ flavor: "mysql", serverVersion: 80_036 });
    schema.apply("CREATE TABLE d.t (a int /*!80035 , b int */ /*!80037 , c int */)", { database: "" });
    expect(table(schema, "t").columns).toHaveLength(2);
  });
});
describe("what is not a table of the log", () => {
  test.each([
    "CREATE TEMPORARY TABLE t (z int)",
    "DROP TEMPORARY TABLE t",
    "CREATE PROCEDURE p() BEGIN DROP TABLE t; CREATE TABLE t (z int); END",
    "CREATE DEFINER=`a`@`%` TRIGGER g AFTER INSERT ON t FOR EACH ROW BEGIN UPDATE u SET a=1; DROP TABLE t; END",
    "CREATE OR REPLACE VIEW t AS SELECT 1; -- DROP TABLE t",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DROP TABLE t; END",
    "INSERT INTO u VALUES ('; DROP TABLE t;'); DROP TABLE t",
    "FLUSH TABLES",
    "SET PASSWORD FOR x = 'DROP TABLE t'",
    "ALTER VIEW t AS SELECT 2",
    "CREATE SEQUENCE s; ",
  ])("%s", (ddl) => {
    const schema = schemaOf("mariadb", "CREATE TABLE t (a int)");
    const { events, counts } = schema.apply(ddl, { database: "d" });
    expect(counts).toBe(false);
    expect(events).toEqual([{ type: "DATABASE", databaseName: "d", ddl, table: null, changes: [], whole: true }]);
    expect(table(schema, "t").columns[0]?.name).toBe("a");
  });
});
describe("uncertain, with the text, and nothing applied", () => {
  test.each([
    ["content", "CREATE TABLE n AS SELECT 1"],
    ["content", "CREATE TABLE n (SELECT 1)"],
    ["content", "CREATE TABLE n (a int) ENGINE=InnoDB PARTITION BY HASH (a) AS SELECT 1 AS a"],
    ["content", "CREATE TABLE n LIKE nothing"],
    ["content", "DROP TABLE t; ALTER DATABASE d CHARSET latin1; CREATE TABLE n AS SELECT 1"],
    ["content", "ALTER TABLE t DROP nothing"],
    ["content", "CREATE TABLE n ENGINE=CONNECT TABLE_TYPE=CSV"],
    ["grammar", "ALTER TABLE t FROBNICATE"],
    ["grammar", "CREATE TABLE n (a newtype)"],
    ["grammar", "CREATE TABLE n (a int newattribute)"],
    ["grammar", "MUTATE TABLE t"],
    ["grammar", "CREATE TABLE n (a int"],
    ["grammar", "CREATE TABLE n (a varchar(3) DEFAULT 'x"],
  ])("%s: %s", (why, ddl) => {
    const error = uncertain("mysql", ddl);
    expect([error.why, error.statement]).toEqual([why, ddl]);
  });
  test("names the tables", () => {
    expect(uncertain("mysql", "CREATE TABLE `n` AS SELECT 1").tables).toEqual([{ catalog: "d", schema: null, table: "n" }]);
  });
});
describe("names and texts", () => {
  test("any name can be quoted or not", () => {
    expect(
      columns(
        "mysql",
        'CREATE TABLE `t` (`a``b` int, "q""r" int, 1st int, é int, `c,d` int, comment text, date date, period int, vector int)',
      ),
    ).toEqual(["a`b", 'q""r', "1st", "é", "c,d", "comment", "date", "period", "vector"]);
    expect(columns("mysql", "CREATE TABLE d . t (a int)")).toEqual(["a"]);
  });
  test("escapes, and their absence", () => {
    expect(columns("mysql", String.raw`CREATE TABLE t (a varchar(9) DEFAULT 'x\', b int', c int COMMENT 'it''s, d int')`)).toEqual([
      "a",
      "c",
    ]);
    const schema = schemaOf("mysql");
    schema.apply(String.raw`CREATE TABLE t (a varchar(9) DEFAULT 'x\', b int)`, { database: "d", plainBackslash: true });
    expect(table(schema, "t").columns.map((c) => c.name)).toEqual(["a", "b"]);
  });
  test("table names without case", () => {
    const schema = new MysqlSchema({ flavor: "mysql", ignoreTableCase: true });
    schema.apply("CREATE TABLE T (a int)", { database: "d" });
    schema.apply("ALTER TABLE t ADD b int", { database: "D" });
    expect([...schema.tables.values()].map((t) => t.columns.length)).toEqual([2]);
  });
});
describe("columns the server hides or makes", () => {
  test("generated, invisible, versioned", () => {
    const t = table(
      schemaOf(
        "mariadb",
        "CREATE TABLE t (a int INVISIBLE, b int AS (a+1) STORED, c int AS (a) VIRTUAL, s timestamp(6) GENERATED ALWAYS AS ROW START," +
          " e timestamp(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING",
      ),
      "t",
    );
    expect(t.columns.map((c) => c.detail)).toEqual([
      { invisible: true },
      { generation: "stored" },
      { generation: "virtual" },
      { systemVersioning: "start" },
      { systemVersioning: "end" },
    ]);
    expect(t.detail).toEqual({ systemVersioned: true });
  });
  test("ALTER of visibility and of versioning", () => {
    const t = table(schemaOf("mariadb", "CREATE TABLE t (a int)", "ALTER TABLE t ALTER a SET INVISIBLE, ADD SYSTEM VERSIONING"), "t");
    expect([t.columns[0]?.detail, t.detail]).toEqual([{ invisible: true }, { systemVersioned: true }]);
  });
});
describe("what the servers' own suites hold", () => {
  test.each([
    ["mysql", "ALTER TABLE t ADD c int REMOVE PARTITIONING"],
    ["mariadb", "ALTER TABLE t DROP b, ADD b int, ADD c int PARTITION BY HASH (a) PARTITIONS 2"],
    ["mysql", "ALTER TABLE t RENAME COLUMN b TO bb PARTITION BY KEY (bb), ALGORITHM=COPY"],
    ["mariadb", "ALTER TABLE t ADD c int CONSTRAINT f REFERENCES u (x), ADD d int CONSTRAINT REFERENCES u"],
    ["mariadb", "ALTER TABLE t ADD PERIOD IF NOT EXISTS FOR p (a, b), DROP PERIOD IF EXISTS FOR q"],
    ["mariadb", "ALTER TABLE t ADD c int DEFAULT CASE WHEN a THEN CASE b WHEN 1 THEN 2 END ELSE 3 END NOT NULL"],
    [
      "mariadb",
      "ALTER TABLE t ADD c text DEFAULT @@session.sql_mode NOT NULL, ADD d int DEFAULT @v := 1, ADD e int DEFAULT PREVIOUS VALUE FOR s",
    ],
    ["mysql", "ALTER TABLE t ADD c char(3) DEFAULT _utf8mb4 x'41' NOT NULL"],
    ["mysql", "ALTER TABLE t ADD c int MASKING POLICY p, ALTER b SET MASKING POLICY p, ALTER a DROP MASKING POLICY"],
    ["mysql", "ALTER TABLE t ADD c enum('x') BYTE"],
    ["mariadb", "ALTER TABLE t ADD c mariadb_schema.date"],
  ] as const)("%s: %s", (flavor, ddl) => {
    const [a, b, ...more] = columns(flavor, "CREATE TABLE t (a int, b int)", ddl);
    expect([a, b?.slice(0, 1)]).toEqual(["a", "b"]);
    expect(more).toEqual(["c", "d", "e"].slice(0, ddl.match(/\b[cde] (?:int|text|char|enum|mariadb)/g)?.length ?? 0));
  });
  test("FIRST is behind the key that MySQL made itself", () => {
    const made =
      "CREATE TABLE t (my_row_id bigint unsigned NOT NULL AUTO_INCREMENT /*!80023 INVISIBLE */, a int, b int, PRIMARY KEY (my_row_id))";
    const after = (flavor: Flavor, ...ddl: string[]): string => columns(flavor, made, ...ddl).join();
    expect(after("mysql", "ALTER TABLE t ADD c int FIRST")).toBe("my_row_id,c,a,b");
    expect(after("mysql", "ALTER TABLE t MODIFY b int FIRST")).toBe("my_row_id,b,a");
    expect(after("mysql", "ALTER TABLE t ALTER my_row_id SET VISIBLE", "ALTER TABLE t ADD c int FIRST")).toBe("c,my_row_id,a,b");
    expect(after("mariadb", "ALTER TABLE t ADD c int FIRST")).toBe("c,my_row_id,a,b");
  });
  test("CHARACTER SET DEFAULT is the database's", () => {
    const stored = (...ddl: string[]) =>
      table(schemaOf("mariadb", ...ddl), "t").columns.map((c) => c.detail?.storedCharset ?? c.charsetName);
    const made = "CREATE TABLE t (a text) CHARSET latin1";
    expect(stored(made, "ALTER TABLE t CONVERT TO CHARACTER SET DEFAULT")).toEqual(["utf8mb4"]);
    expect(stored(made, "ALTER TABLE t CHARACTER SET DEFAULT", "ALTER TABLE t ADD b text")).toEqual(["latin1", "utf8mb4"]);
    expect(stored(made, "ALTER TABLE t COLLATE latin1_bin", "ALTER TABLE t ADD b text")).toEqual(["latin1", "latin1"]);
  });
  test("keys of MariaDB", () => {
    const key = (...ddl: string[]) => table(schemaOf("mariadb", ...ddl), "t").primaryKeyColumnNames;
    const made = "CREATE TABLE t (id int, s date, e date, PERIOD FOR p (s, e), PRIMARY KEY (id, p WITHOUT OVERLAPS))";
    expect(key(made)).toEqual(["id", "e", "s"]);
    expect(key(made, "ALTER TABLE t DROP CONSTRAINT PRIMARY KEY")).toEqual([]);
  });
  test("names of types by sql_mode", () => {
    const types = (sqlMode: bigint, ddl: string, flavor: Flavor = "mariadb"): string[] => {
      const schema = schemaOf(flavor);
      schema.apply(ddl, contextOf("d", sqlMode, flavor));
      return table(schema, "t").columns.map((c) => c.typeName);
    };
    const ddl = "CREATE TABLE t (a date, b blob, c number, d number(5, 2), e mariadb_schema.date, f timestamp)";
    expect(types(1n << 9n, ddl)).toEqual(["DATETIME", "LONGBLOB", "DOUBLE", "DECIMAL", "DATE", "TIMESTAMP"]);
    expect(types(1n << 12n, "CREATE TABLE t (a date, f timestamp, g oracle_schema.date)")).toEqual(["DATE", "DATETIME", "DATETIME"]);
    expect(types(1n << 9n, "CREATE TABLE t (a date)", "mysql")).toEqual(["DATE"]);
    expect(types(1n << 20n, String.raw`CREATE TABLE t (a varchar(9) DEFAULT 'x\', b int)`)).toEqual(["VARCHAR", "INT"]);
  });
});
describe("as Debezium's parsers have it (asked both, 3.4)", () => {
  test.each(["mysql", "mariadb"] as const)("%s: ON UPDATE is part of a default of now, else it is an attribute of its own", (flavor) => {
    const made = (rest: string): boolean =>
      table(schemaOf(flavor, `CREATE TABLE t (a timestamp ${rest})`), "t").columns[0]?.autoIncremented ?? false;
    expect(["DEFAULT NULL ON UPDATE now()", "NOT NULL DEFAULT '0000-00-00 00:00:00' ON UPDATE CURRENT_TIMESTAMP"].map(made)).toEqual([
      true,
      true,
    ]);
    expect(["DEFAULT (now()) ON UPDATE now()", "ON UPDATE now() DEFAULT CURRENT_TIMESTAMP"].map(made)).toEqual([true, true]);
    expect(["DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)", "DEFAULT now() ON UPDATE now()"].map(made)).toEqual([
      false,
      false,
    ]);
  });
  test.each(["mysql", "mariadb"] as const)("%s: national types, collations of utf8 by their old names", (flavor) => {
    const of =
      "CREATE TABLE t (a nchar, b national character, c national char(5), d nchar varchar(3), e text COLLATE utf8_bin, f text COLLATE utf8mb3_bin)";
    const t = table(schemaOf(flavor, of), "t");
    expect(t.columns.map((c) => c.length)).toEqual([1, 1, 5, 3, null, null]);
    expect(t.columns.map((c) => c.charsetName)).toEqual(["utf8", "utf8", "utf8", "utf8", "utf8mb4", "utf8mb3"]);
    expect(t.columns[4]?.detail?.storedCharset).toBe("utf8");
  });
  test("FLOAT(10.3)", () => {
    expect(table(schemaOf("mysql", "CREATE TABLE t (a float(10.3))"), "t").columns[0]).toMatchObject({ length: 10, scale: null });
  });
  test("COLLATE counts for the model where it is part of the type, for the bytes everywhere", () => {
    const ddl =
      "CREATE TABLE t (a text COLLATE latin1_bin NOT NULL, b text NOT NULL COLLATE latin1_bin, c text COMMENT 'x' COLLATE latin2_bin)";
    const { columns: list } = table(schemaOf("mysql", ddl), "t");
    expect(list.map((c) => c.charsetName)).toEqual(["latin1", "utf8mb4", "utf8mb4"]);
    expect(list.map((c) => c.detail?.storedCharset ?? c.charsetName)).toEqual(["latin1", "latin1", "latin2"]);
  });
  test.each([
    ["x'4142'", false, null],
    ["0x4142", false, null],
    ["_utf8mb4 x'41'", false, null],
    ["nextval(s)", false, null],
    ["(next value for s)", false, null],
    ["(uuid())", true, null],
    ["b'101'", true, "101"],
    ["DATE'2020-01-01'", true, "2020-01-01"],
  ])("DEFAULT %s of a column that is NOT NULL", (text, has, value) => {
    const [c] = table(schemaOf("mariadb", `CREATE TABLE t (a varchar(10) DEFAULT ${text} NOT NULL)`), "t").columns;
    expect([c?.hasDefaultValue, c?.defaultValueExpression, c?.optional]).toEqual([has, value, false]);
  });
  test("a unique index is an event of its own where the table has no key", () => {
    const types = (create: string, index: string) =>
      schemaOf("mysql", create)
        .apply(index, { database: "d" })
        .events.map((e) => [e.type, e.whole]);
    expect(types("CREATE TABLE t (a int NOT NULL)", "CREATE UNIQUE INDEX u ON t (a)")).toEqual([["ALTER", false]]);
    expect(types("CREATE TABLE t (a int PRIMARY KEY, b int)", "CREATE UNIQUE INDEX u ON t (b)")).toEqual([["DATABASE", true]]);
    expect(types("CREATE TABLE t (a int)", "CREATE UNIQUE INDEX u ON t ((a + 1))")).toEqual([["DATABASE", true]]);
    expect(types("CREATE TABLE t (a int)", "CREATE UNIQUE INDEX u ON nothing (a)")).toEqual([["DATABASE", true]]);
  });
});
describe("any text", () => {
  const words =
    "CREATE ALTER DROP TABLE DATABASE ADD COLUMN ( ) , ; int varchar(3) `a` 'x' \"y\" NOT NULL DEFAULT /*!50000 */ -- # AFTER FIRST t . = 1".split(
      " ",
    );
  test("is read or is uncertain, and leaves a whole state", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 6 })), { maxLength: 30 }), (parts) => {
        const schema = schemaOf("mariadb", "CREATE TABLE t (a int)");
        const before = JSON.stringify(schema.save());
        try {
          schema.apply(parts.join(" "), { database: "d" });
        } catch (error) {
          expect(error).toBeInstanceOf(UncertainDdl);
          expect(JSON.stringify(schema.save())).toBe(before);
        }
      }),
      { numRuns: 2000 },
    );
  });
  test("a megabyte of it takes no more than its length", () => {
    const texts = [
      `CREATE TABLE t (${Array.from({ length: 30_000 }, (_, i) => `c${i} varchar(10) DEFAULT 'x' COMMENT 'y'`).join(",")})`,
      `CREATE TABLE t (a int) COMMENT '${"x".repeat(1_000_000)}'`,
      `CREATE TABLE t (a int CHECK (${"(".repeat(100_000)}1${")".repeat(100_000)}))`,
      `CREATE TABLE t (e enum(${Array.from({ length: 60_000 }, (_, i) => `'v${i}'`).join(",")}))`,
      `INSERT INTO t VALUES ${"(1,'a'),".repeat(100_000)}(2)`,
      "/*".repeat(500_000),
      "'".repeat(1_000_001),
      "(".repeat(1_000_000),
      "CREATE ".repeat(150_000),
    ];
    const schema = schemaOf("mysql");
    // Of the processor, not of the clock: other tests run beside it.
    const began = process.cpuUsage();
    for (const text of texts) {
      try {
        schema.apply(text, { database: "d" });
      } catch (error) {
        expect(error).toBeInstanceOf(UncertainDdl);
      }
    }
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(10_000);
  }, 60_000);
});
