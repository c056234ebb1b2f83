/** Logs that real servers wrote (test/compat/mysql-binlog.test.ts records them), and what is left of them after damage. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BinlogDecoder } from "#connectors/mysql/binlog/decoder";
import { BinlogError } from "#connectors/mysql/binlog/failures";
import { embeddedJson, jsonText } from "#connectors/mysql/binlog/json";
import { applyJsonDiffs } from "#connectors/mysql/binlog/json-diff";
import { RowCursor } from "#connectors/mysql/binlog/rows";
import type { BinlogEvent } from "#connectors/mysql/binlog/types";
import { render } from "../../../peers/binlog-rows.ts";

const FIXTURES = join(import.meta.dirname, "fixtures");
const MAGIC_BYTES = 4;
const OPTIONS = { checksum: true, verifyChecksum: true, unpackedMaxBytes: 1 << 20 };

const log = (name: string): Buffer => readFileSync(join(FIXTURES, `types-${name}.binlog`));
/** Positions of the log's events. */
function ranges(b: Buffer): { start: number; end: number }[] {
  const out: { start: number; end: number }[] = [];
  for (let p = MAGIC_BYTES; p < b.length; p += b.readUInt32LE(p + 9)) out.push({ start: p, end: p + b.readUInt32LE(p + 9) });
  return out;
}
function rendered(e: BinlogEvent): (string | null)[][] {
  const cursor = new RowCursor();
  const rows: (string | null)[][] = [];
  if (e.kind !== "rows") return rows;
  cursor.open(e);
  while (cursor.next()) rows.push(e.table.columns.map((c, i) => render(c, cursor.after, i, e.bytes)));
  return rows;
}

describe.each(["mysql", "mariadb"])("%s", (name) => {
  test("every type as SELECT said it", () => {
    const b = log(name);
    const decoder = new BinlogDecoder(OPTIONS);
    const events = ranges(b).map((r) => decoder.decode(b, r.start, r.end));
    expect(events[0]).toMatchObject({ kind: "formatDescription", mariadb: name === "mariadb", checksum: true });
    expect(events.flatMap(rendered)).toEqual(JSON.parse(readFileSync(join(FIXTURES, `types-${name}.json`), "utf8")));
    expect(events.some((e) => e.kind === (name === "mariadb" ? "mariadbGtid" : "mysqlGtid"))).toBe(true);
    expect(events.find((e) => e.kind === "query" && e.sql.includes("CREATE TABLE types"))).toMatchObject({ database: "b", errorCode: 0 });
  });

  test("a table keeps its object as long as the server describes it alike", () => {
    const b = log(name);
    const decoder = new BinlogDecoder(OPTIONS);
    const tables = ranges(b).flatMap((r) => {
      const e = decoder.decode(b, r.start, r.end);
      return e.kind === "tableMap" ? [e.table] : [];
    });
    expect(tables.length).toBeGreaterThan(2);
    expect(new Set(tables).size).toBe(1);
  });

  test("one flipped bit: the checksum tells", () => {
    const b = log(name);
    const all = ranges(b).slice(1);
    fc.assert(
      fc.property(fc.nat(all.length - 1), fc.nat(), fc.nat(7), (which, at, bit) => {
        const copy = Buffer.from(b);
        const { start, end } = all[which] ?? { start: 0, end: 0 };
        // The length itself is checked before.
        const p = start + (at % (end - start));
        if (p >= start + 9 && p < start + 13) return;
        copy[p] = (copy[p] ?? 0) ^ (1 << bit);
        const decoder = new BinlogDecoder(OPTIONS);
        expect(() => decoder.decode(copy, start, end)).toThrow(BinlogError);
      }),
      { numRuns: 300 },
    );
  });

  test("damage that no checksum tells: typed errors only, and none that needs memory without end", () => {
    const b = log(name);
    const all = ranges(b);
    const first = all[0] ?? { start: 0, end: 0 };
    let refused = 0;
    fc.assert(
      fc.property(fc.nat(all.length - 2), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), (which, changes) => {
        const copy = Buffer.from(b);
        const damaged = all[which + 1] ?? first;
        for (const [at, value] of changes) copy[damaged.start + 19 + (at % Math.max(1, damaged.end - damaged.start - 23))] = value;
        const decoder = new BinlogDecoder({ ...OPTIONS, verifyChecksum: false });
        try {
          for (const r of all.slice(0, which + 3)) {
            const e = decoder.decode(copy, r.start, r.end);
            if (e.kind === "rows") rendered(e);
          }
        } catch (error) {
          // `render` itself is the test's: it may stumble over what a damaged table map calls a JSON or a float.
          if (error instanceof SyntaxError || error instanceof RangeError) return;
          refused++;
          expect(error).toBeInstanceOf(BinlogError);
        }
      }),
      { numRuns: 1500 },
    );
    expect(refused).toBeGreaterThan(50);
  });

  test("cut off anywhere", () => {
    const b = log(name);
    for (const { start, end } of ranges(b).slice(1)) {
      for (const keep of [0, 1, 18, 19, 20, 22, end - start - 1]) {
        const copy = Buffer.from(b.subarray(start, start + keep));
        if (keep >= 13) copy.writeUInt32LE(keep, 9);
        if (keep >= 23) copy.writeUInt32LE(crc32(copy.subarray(0, keep - 4)), keep - 4);
        const decoder = new BinlogDecoder(OPTIONS);
        const first = ranges(b)[0] ?? { start: 0, end: 0 };
        decoder.decode(b, first.start, first.end);
        const attempt = (): void => {
          const e = decoder.decode(copy, 0, keep);
          if (e.kind === "rows") rendered(e);
        };
        if (keep < 23) expect(attempt).toThrow(BinlogError);
        else
          try {
            attempt();
          } catch (error) {
            expect(error).toBeInstanceOf(BinlogError);
          }
      }
    }
  });
});

describe("JSON", () => {
  const documents = JSON.parse(readFileSync(join(FIXTURES, "json.json"), "utf8")) as [string, string][];

  test("as Debezium's reader prints it", () => {
    expect(documents.length).toBeGreaterThan(100);
    for (const [hex, text] of documents) {
      const b = Buffer.from(hex, "hex");
      expect(jsonText(b, 0, b.length)).toBe(text);
    }
  });
  test("escaped for a JSON string while it is written", () => {
    const text = 'a "quote", \\ and \n\u0001, and more than twenty bytes';
    const inner = Buffer.concat([Buffer.from([12, text.length]), Buffer.from(text)]);
    for (const b of [inner, ...documents.map(([hex]) => Buffer.from(hex, "hex"))]) {
      const plain = jsonText(b, 0, b.length);
      const embedded = embeddedJson(b, 0, b.length);
      expect(embedded === null).toBe((b[0] ?? 0) > 15);
      if (embedded !== null) expect(JSON.parse(`"${embedded.bytes.toString("utf8", 0, embedded.length)}"`)).toBe(plain);
    }
  });
  test("damaged documents: typed errors, and no more text than there is input for", () => {
    const inputs = documents.map(([hex]) => Buffer.from(hex, "hex"));
    fc.assert(
      fc.property(
        fc.nat(inputs.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        (which, changes) => {
          const b = Buffer.from(inputs[which] ?? []);
          for (const [at, value] of changes) b[at % b.length] = value;
          try {
            // A double of 8 bytes can have a thousand digits.
            expect(jsonText(b, 0, b.length).length).toBeLessThan(b.length * 200 + 2000);
          } catch (error) {
            expect(error).toBeInstanceOf(BinlogError);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
  test("a partial update that does not fit is refused", () => {
    const before = Buffer.from("0001000c000b00010005010061", "hex");
    expect(jsonText(before, 0, before.length)).toBe('{"a":1}');
    const diff = (operation: number, path: string, value: string): Buffer =>
      Buffer.concat([Buffer.from([operation, path.length]), Buffer.from(path), Buffer.from(value === "" ? "" : `${value}`, "hex")]);
    const apply = (d: Buffer): string => applyJsonDiffs(before, 0, before.length, d, 0, d.length);
    expect(apply(diff(0, "$.a", "03050700"))).toBe('{"a":7}');
    expect(apply(diff(1, "$.b", "03050700"))).toBe('{"a":1,"b":7}');
    expect(apply(diff(2, "$.a", ""))).toBe("{}");
    for (const bad of [
      diff(2, "$.c", ""),
      diff(0, "$.a[0].x", "03050700"),
      diff(1, "$.a", "03050700"),
      diff(5, "$.a", ""),
      diff(0, "$.a", "09"),
    ])
      expect(() => apply(bad)).toThrow(BinlogError);
  });
});
