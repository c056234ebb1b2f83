import { describe, expect, test } from "vitest";
import {
  commitRecord,
  connectorRecord,
  fencingRecord,
  type KeyValue,
  loggerRecord,
  parseConfigRecord,
  restartRecord,
  sessionKeyRecord,
  targetRecord,
  taskRecord,
} from "#connect/store/config-records";
import { type ConfigChange, ConfigFold, taskConfigOf, tasksOf } from "#connect/store/config-state";

function folded(records: readonly KeyValue[]): { fold: ConfigFold; changes: (ConfigChange | null)[] } {
  const fold = new ConfigFold();
  return { fold, changes: records.map((r, i) => fold.apply(parseConfigRecord(r.key, r.value), i)) };
}
const text = (r: KeyValue): string => `${r.key.toString()} ${r.value?.toString() ?? "null"}`;

test("records have Kafka Connect's keys and members in its order", () => {
  expect([
    text(connectorRecord("a", { x: "1" })),
    text(connectorRecord("a", null)),
    text(taskRecord("a", 3, { y: "2" })),
    text(commitRecord("a", 4)),
    text(targetRecord("a", "STOPPED")),
    text(fencingRecord("a", 2)),
    text(sessionKeyRecord({ key: "a2V5", algorithm: "HmacSHA256", creationMs: 7 })),
    text(restartRecord({ connector: "a", includeTasks: true, onlyFailed: false })),
    text(loggerRecord("org.x", "DEBUG")),
  ]).toEqual([
    'connector-a {"properties":{"x":"1"}}',
    "connector-a null",
    'task-a-3 {"properties":{"y":"2"}}',
    'commit-a {"tasks":4}',
    'target-state-a {"state":"PAUSED","state.v2":"STOPPED"}',
    'tasks-fencing-a {"task-count":2}',
    'session-key {"key":"a2V5","algorithm":"HmacSHA256","creation-timestamp":7}',
    'restart-connector-a {"include-tasks":true,"only-failed":false}',
    'logger-cluster-org.x {"level":"DEBUG"}',
  ]);
});

describe("the fold over the config topic", () => {
  test("task configs count from their commit on, and only if the set is complete", () => {
    const { fold, changes } = folded([
      connectorRecord("a-b", { n: "1" }),
      taskRecord("a-b", 0, { t: "0" }),
      taskRecord("a-b", 1, { t: "1" }),
    ]);
    expect(tasksOf(fold.snapshot(), "a-b")).toEqual([]);
    const commit = commitRecord("a-b", 2);
    expect(fold.apply(parseConfigRecord(commit.key, commit.value), 3)).toEqual({ kind: "tasks-updated", connector: "a-b", tasks: [0, 1] });
    expect(tasksOf(fold.snapshot(), "a-b")).toHaveLength(2);
    expect(taskConfigOf(fold.snapshot(), { connector: "a-b", task: 1 })).toEqual({ t: "1" });
    expect(fold.snapshot().offset).toBe(4);
    expect(changes[0]).toEqual({ kind: "connector-updated", connector: "a-b" });
  });
  test("a set that compaction has torn is inconsistent until all of it is written again", () => {
    const { fold } = folded([connectorRecord("a", {}), taskRecord("a", 1, {}), commitRecord("a", 2)]);
    expect(fold.snapshot().inconsistent.has("a")).toBe(true);
    expect(tasksOf(fold.snapshot(), "a")).toEqual([]);
    for (const [i, r] of [taskRecord("a", 0, {}), taskRecord("a", 1, {}), commitRecord("a", 2)].entries()) {
      fold.apply(parseConfigRecord(r.key, r.value), 3 + i);
    }
    expect(tasksOf(fold.snapshot(), "a")).toHaveLength(2);
  });
  test("tasks of a deleted connector, whose tombstone is compacted away, do not come back with a new one of its name", () => {
    const { fold } = folded([taskRecord("a", 0, { old: "yes" }), commitRecord("a", 1), connectorRecord("a", { new: "yes" })]);
    expect(tasksOf(fold.snapshot(), "a")).toEqual([]);
    expect(taskConfigOf(fold.snapshot(), { connector: "a", task: 0 })).toBeNull();
  });
  test("an initial state before its connector changes nothing that is there; later ones do once", () => {
    const { changes, fold } = folded([
      targetRecord("a", "STOPPED"),
      connectorRecord("a", {}),
      targetRecord("a", "STOPPED"),
      targetRecord("a", "STARTED"),
    ]);
    expect(changes.map((c) => c?.kind ?? null)).toEqual([null, "connector-updated", null, "target-changed"]);
    expect(fold.snapshot().targets.get("a")).toBe("STARTED");
  });
  test("removal forgets the connector and its tasks; the state before KIP-875 is understood; rubbish is passed over", () => {
    const rubbish: KeyValue[] = [
      { key: Buffer.from("connector-x"), value: Buffer.from("{") },
      { key: Buffer.from("nobody-knows"), value: Buffer.from("{}") },
      { key: Buffer.from("task-x"), value: Buffer.from("{}") },
      { key: Buffer.from("target-state-a"), value: Buffer.from('{"state":"PAUSED"}') },
    ];
    const { fold, changes } = folded([connectorRecord("a", {}), taskRecord("a", 0, {}), commitRecord("a", 1), ...rubbish]);
    expect(changes.slice(3)).toEqual([null, null, null, { kind: "target-changed", connector: "a" }]);
    const gone = connectorRecord("a", null);
    expect(fold.apply(parseConfigRecord(gone.key, gone.value), 7)).toEqual({ kind: "connector-removed", connector: "a" });
    expect(fold.snapshot().connectors.size + fold.snapshot().taskCounts.size + fold.snapshot().taskConfigs.size).toBe(0);
    expect(fold.snapshot().offset).toBe(8);
  });
  test("a snapshot does not change afterwards", () => {
    const { fold } = folded([connectorRecord("a", {})]);
    const before = fold.snapshot();
    const b = connectorRecord("b", {});
    fold.apply(parseConfigRecord(b.key, b.value), 1);
    expect([...before.connectors.keys()]).toEqual(["a"]);
    expect(fold.snapshot()).not.toBe(before);
  });
});

test("a damaged record changes nothing: it is no removal", () => {
  const damaged = (key: string, value: string): KeyValue => ({ key: Buffer.from(key), value: Buffer.from(value) });
  const { fold, changes } = folded([
    connectorRecord("a", { n: "1" }),
    taskRecord("a", 0, { t: "0" }),
    commitRecord("a", 1),
    ...['{"properties":[]}', '{"other":{}}', "no json", "7", '"text"'].map((v) => damaged("connector-a", v)),
    damaged("task-a-0", '{"properties":null}'),
    damaged("task-a-x", '{"properties":{}}'),
    damaged("commit-a", '{"tasks":"many"}'),
    damaged("target-state-a", '{"state.v2":"GONE"}'),
    damaged("session-key", '{"key":7}'),
    damaged("tasks-fencing-a", "{}"),
    damaged("somebody-else", "{}"),
  ]);
  expect(changes.slice(3)).toEqual(Array.from({ length: 12 }, () => null));
  expect(tasksOf(fold.snapshot(), "a")).toHaveLength(1);
  expect(fold.snapshot().connectors.get("a")).toEqual({ n: "1" });
  expect(fold.snapshot().offset).toBe(15);
});
