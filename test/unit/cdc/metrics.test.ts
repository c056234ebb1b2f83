/** Debezium's metrics without a database: what is told again, how snapshots are told of, texts in `/metrics`. */
import { expect, test } from "vitest";
import { metricsText } from "#connect/operate/metrics";
import { MetricSheet } from "#connectors/cdc/metric-sheet";
import { HistoryFigures } from "#connectors/cdc/schema-history/history-figures";
import { SnapshotFigures } from "#connectors/cdc/snapshot-figures";
import { metricTags } from "#connectors/cdc/streaming-metrics";

type Told = [name: string, value: number | string | null, table: string | undefined];
function sheet(): { readonly told: Told[]; readonly sheet: MetricSheet } {
  const told: Told[] = [];
  return { told, sheet: new MetricSheet({ gauge: (name, value, labels = {}) => void told.push([name, value, labels["table"]]) }) };
}
/** What the sheet holds of it, by attribute or attribute[table]. */
function reported(report: (to: MetricSheet) => void): Record<string, number | string | null> {
  const { told, sheet: to } = sheet();
  report(to);
  to.send();
  return Object.fromEntries(told.map(([name, value, table]) => [table === undefined ? name : `${name}[${table}]`, value]));
}

test("only what has changed is told again, and what is gone is taken back", () => {
  const { told, sheet: s } = sheet();
  s.put("A", 1, { table: "x" });
  s.put("A", 2, { table: "y" });
  s.put("B", true, {});
  s.put("C", null, {});
  s.send();
  expect(told.splice(0)).toEqual([
    ["A", 1, "x"],
    ["A", 2, "y"],
    ["B", 1, undefined],
  ]);
  s.put("A", 1, { table: "x" });
  s.put("B", false, {});
  s.send();
  expect(told.splice(0)).toEqual([
    ["B", 0, undefined],
    ["A", null, "y"],
  ]);
});

test("a snapshot from its start to its end, paused, and an incremental one after it", () => {
  let nowMs = 10_000;
  const figures = new SnapshotFigures(() => nowMs);
  const now = (): Record<string, number | string | null> => reported((s) => figures.report(s, {}));
  expect(now()).toMatchObject({ SnapshotRunning: 0, TotalTableCount: 0, SnapshotDurationInSeconds: 0, MilliSecondsSinceLastEvent: -1 });
  figures.observed("STARTED", {});
  figures.determined(["a", "b", "signals"], ["a", "b"]);
  const rows = { a: 0 };
  figures.reading("a", () => rows.a);
  rows.a = 7;
  nowMs += 2_500;
  expect(now()).toMatchObject({
    SnapshotRunning: 1,
    SnapshotCompleted: 0,
    SnapshotDurationInSeconds: 2,
    TotalTableCount: 3,
    RemainingTableCount: 2,
    "RowsScanned[a]": 7,
    "RowsScanned[b]": 0,
    "RowsScanned[signals]": 0,
    TotalNumberOfEventsSeen: 7,
    MilliSecondsSinceLastEvent: 0,
  });
  figures.observed("TABLE_SCAN_COMPLETED", { scanned_collection: "a", total_rows_scanned: "8" });
  figures.observed("PAUSED", {});
  nowMs += 3_000;
  expect(now()).toMatchObject({ SnapshotPaused: 1, SnapshotRunning: 0, SnapshotPausedDurationInSeconds: 3, RemainingTableCount: 1 });
  figures.observed("RESUMED", {});
  figures.observed("COMPLETED", {});
  nowMs += 60_000;
  expect(now()).toMatchObject({ SnapshotCompleted: 1, SnapshotRunning: 0, RemainingTableCount: 0, SnapshotDurationInSeconds: 5 });

  figures.observed("STARTED", {});
  const row = { keyText: "1", key: null, row: null as never, bytes: 1 };
  figures.chunk("a", "id-1", { rows: [row, row], lastKey: ["2", "x"] }, ["4", "z"], 2);
  figures.chunk("a", "id-2", { rows: [row], lastKey: ["4", "z"] }, ["4", "z"], 3);
  expect(now()).toMatchObject({ ChunkId: "id-2", ChunkTo: "[4, z]", TableTo: "[4, z]", "RowsScanned[a]": 3, TotalNumberOfEventsSeen: 11 });
  figures.observed("COMPLETED", {});
  expect(now()["ChunkId"]).toBeUndefined();
});

test("a snapshot under which the task fails is aborted, one that is over is not", () => {
  const figures = new SnapshotFigures(() => 1);
  figures.observed("STARTED", {});
  figures.interrupted();
  expect(reported((s) => figures.report(s, {}))).toMatchObject({ SnapshotAborted: 1, SnapshotRunning: 0 });
  figures.observed("STARTED", {});
  figures.observed("COMPLETED", {});
  figures.interrupted();
  expect(reported((s) => figures.report(s, {}))).toMatchObject({ SnapshotAborted: 0, SnapshotCompleted: 1 });
});

test("what was recovered counts as applied, as in the reference", () => {
  let nowMs = 5_000;
  const figures = new HistoryFigures(() => nowMs);
  const record = {
    source: {},
    position: { pos: 4 },
    tsMs: 1,
    databaseName: "d",
    schemaName: null,
    ddl: "CREATE TABLE t (i int)",
    tableChanges: [],
  };
  expect(reported((s) => figures.report(s, {}))).toMatchObject({
    Status: "RUNNING",
    RecoveryStartTime: -1,
    ChangesApplied: 0,
    LastAppliedChange: "",
  });
  figures.status("RECOVERING");
  figures.recovered(record);
  expect(reported((s) => figures.report(s, {}))).toMatchObject({ Status: "RECOVERING", RecoveryStartTime: 5 });
  figures.status("RUNNING");
  figures.recorded([record, record]);
  nowMs += 40;
  const now = reported((s) => figures.report(s, {}));
  expect(now).toMatchObject({ Status: "RUNNING", ChangesRecovered: 1, ChangesApplied: 3, MilliSecondsSinceLastAppliedChange: 40 });
  expect(now["LastAppliedChange"]).toContain("CREATE TABLE t");
});

test("texts are labels of their own name; those that change with every event only for who asks", () => {
  const text = (texts: boolean): string =>
    metricsText({
      tasks: [
        {
          id: { connector: "c", task: 0 },
          kind: "source",
          state: "RUNNING",
          counters: {},
          gauges: [
            { name: "BinlogFilename", labels: { plugin: "mysql" }, value: "binlog.1" },
            { name: "GtidSet", labels: { plugin: "mysql" }, value: 'a"1' },
          ],
        },
      ],
      progress: () => ({ records: 0, ageMs: 0, never: true }),
      stalled: () => false,
      deadLetters: new Map(),
      connectors: [],
      starts: { connectors: { success: 0, failure: 0 }, tasks: { success: 0, failure: 0 } },
      rebalance: { protocol: "", leader: "", epoch: 1, rebalancing: false, completed: 0, lastMsAgo: null, timeMsMax: 0, timeMsTotal: 0 },
      skipped: new Map(),
      uptimeMs: 1,
      nowMs: 1,
      stalledMs: 1,
      texts,
    });
  expect(text(false)).toContain('debezium_metrics_BinlogFilename{plugin="mysql",BinlogFilename="binlog.1"} 1\n');
  expect(text(false)).not.toContain("GtidSet");
  expect(text(true)).toContain('debezium_metrics_GtidSet{plugin="mysql",GtidSet="a\\"1"} 1\n');
});

test("custom.metric.tags", () => {
  expect(metricTags("env=prod, team = a=b,nothing")).toEqual({ env: "prod", team: "a" });
  expect(metricTags(null)).toEqual({});
});
