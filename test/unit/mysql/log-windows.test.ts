/** Windows without a signal table: nothing is read before it is committed, nothing is handed on without room. */
import type { Connection } from "mysql2/promise";
import { expect, test } from "vitest";
import { LogWindows, type LogWindowSettings } from "../../../connectors/mysql/log-windows.ts";

const UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const INFO: LogWindowSettings["info"] = {
  mariadb: false,
  version: 90700,
  gtidMode: true,
  rowFormat: true,
  logEnabled: true,
  ignoreTableCase: false,
  charset: "utf8mb4",
  collation: "utf8mb4_0900_ai_ci",
  serverUuid: UUID,
};
type Reader = NonNullable<ReturnType<LogWindowSettings["reader"]>>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

function parts(info = INFO): {
  windows: LogWindows;
  server: { executed: string; position: number };
  stream: Writable<Reader>;
  told: string[];
} {
  const server = { executed: `${UUID}:1-5`, position: 500 };
  const query = (sql: string): Promise<unknown> =>
    Promise.resolve([
      [
        sql.startsWith("SHOW")
          ? { File: "binlog.000002", Position: server.position, Executed_Gtid_Set: server.executed }
          : { g: server.executed, p: server.executed },
      ],
    ]);
  const sql: Pick<Connection, "query"> = { query } as Connection;
  const told: string[] = [];
  const stream: Writable<Reader> = {
    ready: true,
    begun: null,
    passed: null,
    hasPassed: ({ file, position }) => file === "binlog.000002" && position <= 500,
    refresh: () => ({ file: "binlog.000002", pos: 500 }),
    seen: { c: 0, u: 0, d: 0, t: 0, transactions: 0, rolledBack: 0, events: 0, lastMs: 0, behindMs: 0 },
  };
  const windows = new LogWindows({
    flavor: info.mariadb ? "mariadb" : "mysql",
    info,
    sql: () => Promise.resolve(sql as Connection),
    reader: () => stream,
    events: { tick: () => void told.push("tick"), flush: () => void told.push("flush") },
    opened: (id) => void told.push(`opened ${id}`),
    closed: (id) => void told.push(`closed ${id} at ${JSON.stringify(windows.offset)}`),
  });
  return { windows, server, stream, told };
}
const later = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));

test("a chunk is read only once the server has committed what the stream has seen of its log", async () => {
  const { windows, server, stream, told } = parts();
  stream.begun = `${UUID}:1-6`;
  let open = false;
  const opening = windows.opened("w").then(() => (open = true));
  await later(120);
  // Changes are noted from the beginning.
  expect([open, told]).toEqual([false, ["opened w"]]);
  server.executed = `${UUID}:1-6`;
  await opening;
  expect(open).toBe(true);
});
test("MariaDB, which does not tell, is given a while after the last change", async () => {
  const { windows, stream } = parts({ ...INFO, mariadb: true, serverUuid: null });
  stream.begun = "0-1-6";
  stream.seen.lastMs = Date.now();
  const began = performance.now();
  await windows.opened("w");
  expect(performance.now() - began).toBeGreaterThan(150);
  stream.seen.lastMs = Date.now() - 1000;
  const again = performance.now();
  await windows.opened("w");
  expect(performance.now() - again).toBeLessThan(150);
});
test("rows are handed on when the stream has passed what was committed, and has room", async () => {
  const { windows, stream, told } = parts();
  stream.passed = `${UUID}:1-4`;
  await windows.closes("w");
  await later(120);
  expect(told).toEqual([]);
  stream.passed = `${UUID}:1-5`;
  stream.ready = false;
  await later(120);
  expect(told).toEqual([]);
  stream.ready = true;
  await later(120);
  expect(told).toEqual(["tick", 'closed w at {"file":"binlog.000002","pos":500}', "flush"]);
  expect(windows.offset).toBeNull();
});
test("without GTIDs that are known the place in the log counts; nothing comes after the end", async () => {
  const { windows, server, told } = parts();
  await windows.closes("a");
  expect(told).toContain('closed a at {"file":"binlog.000002","pos":500}');
  server.position = 501;
  await windows.closes("b");
  windows.close();
  await later(120);
  expect(told.filter((t) => t.startsWith("closed"))).toHaveLength(1);
});
