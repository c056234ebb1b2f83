/** On `plugin.path`: a source whose two tables exist in its memory only, with the backfills that real ones have. Each row takes a while. */
import type { SourceConnectorPlugin, SourceTask } from "#connect/api/connector";
import type { SourceRecord } from "#connect/api/record";
import { INT32 } from "#connect/api/schema";
import { BackfillRefused, Backfills, type BackfillServing } from "../../connectors/cdc/backfills.ts";

const ROWS: Readonly<Record<string, number>> = { "shop.orders": 40, "shop.lines": 3 };
const ROW_MS = 10;

function reading(observed: Backfills["observed"], emit: (table: string) => void): NonNullable<BackfillServing["incremental"]> {
  let left: string[] = [];
  let read = 0,
    paused = false,
    stops = false;
  const step = (): void => {
    const [table] = left;
    if (table === undefined) return;
    if (stops) left = [];
    else if (!paused && read < (ROWS[table] ?? 0)) {
      read++;
      emit(table);
    } else if (!paused) {
      observed("Incremental Snapshot", "TABLE_SCAN_COMPLETED", {
        scanned_collection: table,
        total_rows_scanned: String(read),
        status: "SUCCEEDED",
      });
      left.shift();
      read = 0;
    }
    if (left.length === 0) observed("Incremental Snapshot", "COMPLETED", {});
    else setTimeout(step, ROW_MS);
  };
  return {
    get active() {
      return left.length > 0;
    },
    execute(_id, _request, tables) {
      left = [...tables];
      stops = false;
      step();
    },
    pause: () => void (paused = true),
    resume: () => void (paused = false),
    stop: () => void (stops = true),
  };
}
export const backfillSource: SourceConnectorPlugin = {
  kind: "source",
  name: "acme-backfills",
  classes: ["com.acme.Backfills"],
  taskClass: "com.acme.BackfillsTask",
  version: "1",
  config: [],
  start: (settings) => ({ taskConfigs: () => [settings] }),
  task(settings, context): SourceTask {
    const partition = { source: settings["name"] ?? "" };
    let waiting: SourceRecord[] = [];
    const backfills = new Backfills({
      partition,
      offsets: context.offsets,
      log: context.log,
      newId: () => "made",
      nowMs: Date.now,
      database: {
        refusal: null,
        tables: () => Promise.resolve(Object.keys(ROWS)),
        check: ({ where }) =>
          where === null || where.startsWith("id") ? Promise.resolve() : Promise.reject(new BackfillRefused(`${where} is no condition`)),
      },
    });
    return {
      async start() {
        await backfills.load();
        backfills.attach({
          restored: null,
          blocking: () => Promise.resolve(),
          incremental: reading(backfills.observed.bind(backfills), (table) => {
            waiting.push({
              topic: table,
              partition: null,
              keySchema: null,
              key: null,
              valueSchema: INT32,
              value: 1,
              timestamp: null,
              headers: [],
              sourcePartition: partition,
              sourceOffset: { at: 1 },
            });
          }),
        });
      },
      async poll() {
        await new Promise((resolve) => setTimeout(resolve, ROW_MS));
        const records = waiting;
        waiting = [];
        return records;
      },
      stop() {
        backfills.detach();
        return Promise.resolve();
      },
      backfill: (command) => backfills.command(command),
    };
  },
};
