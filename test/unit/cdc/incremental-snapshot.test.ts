/** Requests and stops as the reference heeds them; the expected notifications are its recorded answers. */
import { expect, test } from "vitest";
import type { Struct } from "#connect/api/struct";
import type { IncrementalDatabase } from "#connectors/cdc/incremental-snapshot/port";
import { IncrementalSnapshot } from "#connectors/cdc/incremental-snapshot/snapshot";
import { Notifier } from "#connectors/cdc/notifications";
import { settingsOf } from "#connectors/postgres/config";

const turn = (): Promise<void> => new Promise((r) => setImmediate(r));
/** Every table has keys 1 to 7. `step` lets the stream bring the closing watermark of the chunk that was read. */
function running(looksFirst = false) {
  const told: string[] = [];
  const settings = settingsOf({ "topic.prefix": "p", "notification.enabled.channels": "log" });
  const log = { info: (text: string, data: unknown) => void told.push(`${text.split(" ").at(-1)} ${JSON.stringify(data)}`) };
  const silent = () => {};
  const notifier = new Notifier(settings, {
    partition: {},
    log: { debug: silent, warn: silent, error: silent, ...log },
    offset: () => ({}),
    emit: silent,
  });
  const closes: string[] = [];
  // Rows are never looked at here.
  const none = {} as Struct;
  const database: IncrementalDatabase<{ readonly id: string }> = {
    openWindow: (w) => Promise.resolve(snapshot.opened(w.openId)),
    closeWindow: (w) => Promise.resolve(void closes.push(w.closeId)),
    readChunk: ({ collection, after, maxRows }) => {
      const first = Number(after?.[0] ?? 0) + 1;
      if (first > 7) return Promise.resolve("SUCCEEDED" as const);
      const keys = [1, 2, 3, 4, 5, 6, 7].filter((k) => k >= first && k < first + maxRows).map(String);
      const rows = keys.map((keyText) => ({ keyText, key: null, row: none, bytes: 1 }));
      return Promise.resolve({ maximum: ["7"], chunk: { plan: { id: collection.id }, rows, lastKey: [keys.at(-1) ?? ""] } });
    },
    reset: () => Promise.resolve(),
  };
  const sent: string[] = [];
  const emit = (_: object, row: { readonly keyText: string }): void => void sent.push(row.keyText);
  const s = { signalTable: "s.sig", chunkSize: 3, deletes: false, looksFirst, database, notifier, emit, warn: silent };
  const snapshot = new IncrementalSnapshot(s);
  const step = async (): Promise<boolean> => {
    await turn();
    const id = closes.shift();
    if (id !== undefined) snapshot.closed(id);
    await turn();
    return id !== undefined;
  };
  return {
    snapshot,
    step,
    sent,
    told: () => told.map((t) => t.replace('"connector_name":"p",', "").replace('{"connector_name":"p"}', "{}")),
  };
}
const request = (...collections: string[]) => ({ collections, kind: "incremental" as const, conditions: [], surrogateKey: null });
const chunk = (table: string, last: number, all: string): string =>
  `IN_PROGRESS {"current_collection_in_progress":"${table}","maximum_key":"7","last_processed_key":"${last}","data_collections":"${all}"}`;

test("a stop of all ends the chunk that is under way, then the current table comes last among those stopped", async () => {
  const { snapshot, step, told } = running();
  snapshot.execute("1", request("s.t", "s.u"), ["s.t", "s.u"]);
  snapshot.stop([]);
  while (await step());
  expect(told()).toEqual([
    'STARTED {"data_collections":"s.t,s.u"}',
    chunk("s.t", 3, "s.t,s.u"),
    "COMPLETED {}",
    'ABORTED {"data_collections":"s.u,s.t"}',
  ]);
});
test("a stop of one names it, the others go on", async () => {
  const { snapshot, step, told } = running();
  snapshot.execute("1", request("s.t", "s.u"), ["s.t", "s.u"]);
  snapshot.stop(["s.u"]);
  while (await step());
  expect(told()).toEqual([
    'STARTED {"data_collections":"s.t,s.u"}',
    chunk("s.t", 3, "s.t,s.u"),
    'ABORTED {"data_collections":"s.u"}',
    chunk("s.t", 6, "s.t"),
    chunk("s.t", 7, "s.t"),
    'TABLE_SCAN_COMPLETED {"scanned_collection":"s.t","total_rows_scanned":"7","status":"SUCCEEDED","data_collections":"s.t"}',
    "COMPLETED {}",
  ]);
});
test("names in quotes are the tables that they name", async () => {
  const { snapshot, told } = running();
  snapshot.execute("1", request('"S x"."T y"'), ["s.t", "S x.T y"]);
  expect(told()).toEqual(['STARTED {"data_collections":"S x.T y"}']);
});
test("a stop without a snapshot does nothing to the next one", async () => {
  const { snapshot, step, told } = running();
  snapshot.stop([]);
  snapshot.execute("2", request("s.t"), ["s.t"]);
  while (await step());
  expect(told().at(-1)).toBe("COMPLETED {}");
  expect(told()).toHaveLength(6);
});
test.each([
  [false, 1, 4],
  [false, 2, 7],
  [true, 1, 5],
  [true, 2, 9],
])(
  "incremental.snapshot.allow.schema.changes=%s: %i tables of 7 rows in chunks of 3 have %i windows",
  async (looksFirst, tables, windows) => {
    const { snapshot, step, told } = running(looksFirst);
    const names = ["s.t", "s.u"].slice(0, tables);
    snapshot.execute("1", request(...names), names);
    let seen = 0;
    while (await step()) seen++;
    expect(seen).toBe(windows);
    expect(told().filter((t) => t.startsWith("IN_PROGRESS"))).toHaveLength(3 * tables);
    expect(told().at(-1)).toBe("COMPLETED {}");
  },
);

test("a chunk whose table was altered while its window was open is read again; others are not", async () => {
  const { snapshot, step, sent, told } = running();
  snapshot.execute("1", request("s.t"), ["s.t"]);
  await turn();
  snapshot.altered("s.other");
  await step();
  expect(sent).toEqual(["1", "2", "3"]);
  snapshot.altered("s.t");
  await step();
  expect(sent).toEqual(["1", "2", "3"]);
  while (await step());
  expect(sent).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
  expect(told().at(-2)).toContain('"total_rows_scanned":"7"');
});
