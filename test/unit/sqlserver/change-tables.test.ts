import { describe, expect, test } from "vitest";
import {
  activeInstances,
  type CaptureInstance,
  instancesByTable,
  newestInstance,
  tableKey,
} from "#connectors/sqlserver/change-tables/capture-instance";
import { compareLsn, lsnBytes, lsnText, nextLsn } from "#connectors/sqlserver/change-tables/lsn";
import { ChangeCursor, type ChangeRow, smallest } from "#connectors/sqlserver/change-tables/merge";
import { Replay } from "#connectors/sqlserver/change-tables/replayed";
import { changeQuery } from "#connectors/sqlserver/change-tables/statements";

const lsn = (n: number): string => lsnText(Buffer.from(n.toString(16).padStart(20, "0"), "hex"));
const row = (start: number, change: number, operation = 2): ChangeRow => ({
  start: lsn(start),
  change: lsn(change),
  command: 0,
  operation,
  values: [],
});

describe("LSNs", () => {
  test("texts go there and back and count on", () => {
    const text = "00000025:00000118:ffff";
    expect(lsnText(lsnBytes(text))).toBe(text);
    expect(nextLsn(text)).toBe("00000025:00000119:0000");
    expect(compareLsn(null, text)).toBeLessThan(0);
  });
});
describe("capture instances", () => {
  const instance = (name: string, start: number): CaptureInstance => ({
    name,
    schema: "dbo",
    table: "t",
    startLsn: lsn(start),
    columns: ["id"],
  });
  const own = instancesByTable([instance("new", 20), instance("old", 5)]).get(tableKey("dbo", "t")) ?? [];
  test("the older one ends where the newer one begins", () => {
    expect(activeInstances(own, lsn(10)).map((a) => [a.instance.name, a.stopLsn])).toEqual([
      ["old", lsn(20)],
      ["new", null],
    ]);
    expect(newestInstance(own)?.name).toBe("new");
  });
  test("an instance that ended before the position is not read", () => {
    expect(activeInstances(own, lsn(20)).map((a) => a.instance.name)).toEqual(["new"]);
  });
});
describe("the order of rows", () => {
  test("pages of several tables come together by commit, then by change", async () => {
    const pages = (rows: readonly ChangeRow[], size: number): ChangeCursor<string> => {
      let at = 0;
      return new ChangeCursor("t", size, () => {
        at += size;
        return Promise.resolve(rows.slice(at - size, at));
      });
    };
    const cursors = [pages([row(1, 1), row(1, 4), row(3, 2)], 1), pages([row(1, 2), row(1, 3), row(2, 9)], 2)];
    const seen: string[] = [];
    for (;;) {
      for (const c of cursors) await c.fill();
      const next = smallest(cursors)?.next();
      if (next === null || next === undefined) break;
      seen.push(`${Number.parseInt(next.start.slice(-4), 16)}.${Number.parseInt(next.change.slice(-4), 16)}`);
    }
    expect(seen).toEqual(["1.1", "1.2", "1.3", "1.4", "2.9", "3.2"]);
  });
  test("the next page begins after the last row, whatever the order of commands", () => {
    const query = { database: "d", instance: "i", columns: ["[c]"], skipped: [], after: row(1, 2), maxRows: 5 };
    expect(changeQuery({ ...query, mode: "direct" })).toContain(
      "([__$start_lsn] = @start AND [__$command_id] = @command AND [__$seqval] > @change)",
    );
    expect(changeQuery({ ...query, mode: "function" })).not.toContain("__$command_id");
  });
});
describe("what a restart reads again", () => {
  test("rows up to the stored position are left out, an update counts two", () => {
    const replay = new Replay({ commit: lsn(7), change: lsn(2), serial: 2 });
    const delivered = (commit: number, change: number, rows: 1 | 2): boolean => {
      replay.count(lsn(commit), lsn(change), rows);
      return replay.delivered;
    };
    expect([delivered(7, 1, 1), delivered(7, 2, 2), delivered(7, 2, 1), delivered(7, 3, 1), delivered(8, 1, 1)]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
  test("where changes go back within a transaction nothing is left out on the word of the position", () => {
    const replay = new Replay({ commit: lsn(7), change: lsn(5), serial: 1 });
    replay.count(lsn(7), lsn(5), 1);
    expect(replay.delivered).toBe(true);
    replay.count(lsn(7), lsn(3), 1);
    expect(replay.delivered).toBe(false);
  });
});
