/** GTID sets against a plain set of numbers, and in the server's binary form. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteCursor } from "#connectors/mysql/binlog/bytes";
import { BinlogError } from "#connectors/mysql/binlog/failures";
import { readPreviousGtids } from "#connectors/mysql/binlog/gtid-events";
import { MariadbGtidSet } from "#connectors/mysql/binlog/gtid-mariadb";
import { MysqlGtidSet } from "#connectors/mysql/binlog/gtid-mysql";

const A = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B = "00000000-71ca-11e1-9e33-c80aa9429562";
const SOURCES: string[][] = [
  [A, ""],
  [A, "tag"],
  [A, "other_tag"],
  [B, ""],
];
const source = fc.constantFrom(...SOURCES);
const member = fc.tuple(source, fc.integer({ min: 1, max: 40 }));
const name = ([[uuid, tag], n]: [string[], number]): string => `${uuid}:${tag}:${n}`;
function setOf(members: readonly [string[], number][]): MysqlGtidSet {
  const set = new MysqlGtidSet();
  for (const [[uuid = "", tag = ""], n] of members) set.add(uuid, tag, BigInt(n));
  return set;
}
const all = SOURCES.flatMap((s) => Array.from({ length: 42 }, (_, n): [string[], number] => [s, n]));
const has = (set: MysqlGtidSet, [[uuid = "", tag = ""], n]: [string[], number]): boolean => set.contains(uuid, tag, BigInt(n));

describe("MySQL", () => {
  test("union, difference, containment, text and bytes", () => {
    fc.assert(
      fc.property(fc.array(member), fc.array(member), (x, y) => {
        const [a, b] = [setOf(x), setOf(y)];
        const [inA, inB] = [new Set(x.map(name)), new Set(y.map(name))];
        const plus = a.plus(b),
          minus = a.minus(b),
          read = MysqlGtidSet.parse(a.toString());
        const bytes = a.encode();
        const those = (set: MysqlGtidSet): string[] => all.filter((g) => has(set, g)).map(name);
        const names = all.map(name);
        expect(those(a)).toEqual(names.filter((g) => inA.has(g)));
        expect(those(plus)).toEqual(names.filter((g) => inA.has(g) || inB.has(g)));
        expect(those(minus)).toEqual(names.filter((g) => inA.has(g) && !inB.has(g)));
        expect(read.equals(a)).toBe(true);
        expect(readPreviousGtids(new ByteCursor(bytes, 0, bytes.length, "test"))).toBe(a.toString());
        expect(a.containsAll(b)).toBe([...inB].every((g) => inA.has(g)));
      }),
      { numRuns: 200 },
    );
  });
  test("prints as the server does", () => {
    const set = MysqlGtidSet.parse(`${A.toUpperCase()}:7:1-3:4:tag:9-10:Tag:1,\n${B}:1-9223372036854775806, ${A}:12`);
    expect(set.toString()).toBe(`${B}:1-9223372036854775806,${A}:1-4:7:12:tag:1:9-10`);
    expect(set.only((uuid) => uuid === B).uuids).toEqual([B]);
    expect(MysqlGtidSet.parse("").isEmpty).toBe(true);
    expect(MysqlGtidSet.parse(`${A}:5-4`).isEmpty).toBe(true);
  });
  test("what is no GTID set is refused", () => {
    for (const bad of ["x", A, `${A}:`, `${A}:0`, `${A}:1-9223372036854775807`, `${A}:9tag:1`, `${A}:1:-`, "0-1-2"])
      expect(() => MysqlGtidSet.parse(bad)).toThrow(BinlogError);
  });
});

describe("MariaDB", () => {
  test("one position per domain", () => {
    const set = MariadbGtidSet.parse("1-2-3, 0-1-18446744073709551615");
    expect(set.toString()).toBe("0-1-18446744073709551615,1-2-3");
    set.add({ domain: 1, server: 9, sequence: 4n });
    expect(set.toString()).toBe("0-1-18446744073709551615,1-9-4");
    expect(set.contains({ domain: 1, server: 1, sequence: 4n })).toBe(true);
    expect(set.contains({ domain: 1, server: 1, sequence: 5n })).toBe(false);
    expect(set.containsAll(MariadbGtidSet.parse("2-1-1"))).toBe(false);
    expect(set.plus(MariadbGtidSet.parse("1-1-7,5-5-5")).toString()).toBe("0-1-18446744073709551615,1-1-7,5-5-5");
    expect(set.only((g) => g.domain === 1).equals(MariadbGtidSet.parse("1-9-4"))).toBe(true);
    expect(set.copy().isEmpty).toBe(false);
    expect(() => MariadbGtidSet.parse("1-2")).toThrow(BinlogError);
  });
});
