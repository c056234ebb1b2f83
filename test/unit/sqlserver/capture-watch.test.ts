import { expect, test } from "vitest";
import { silentLogger } from "#broker/base/logger";
import { CaptureWatch, lateness, WATCH_MS } from "#connectors/sqlserver/capture-watch";
import type { Row } from "#connectors/sqlserver/connection";

interface Answers {
  agent: readonly Row[] | Error;
  progress: readonly Row[] | Error;
  keys: readonly Row[] | Error;
}
const LATE: Row = ["2026-01-01T10:05:00", "2026-01-01T10:00:00", 300, 90];

function watching(answers: Answers): {
  readonly warnings: string[];
  readonly look: (minutes: number) => Promise<void>;
  readonly watch: CaptureWatch;
} {
  let nowMs = 1_000_000;
  const warnings: string[] = [];
  const answer = (statement: string): Promise<readonly Row[]> => {
    const kind = statement.includes("dm_server_services") ? "agent" : statement.includes("dm_db_index_usage_stats") ? "progress" : "keys";
    const given = answers[kind];
    return given instanceof Error ? Promise.reject(given) : Promise.resolve(given);
  };
  const session = { rows: answer, first: async (statement: string) => (await answer(statement))[0] ?? null };
  const watch = new CaptureWatch({
    database: "shop",
    log: { ...silentLogger, warn: (message: string) => void warnings.push(message) },
    nowMs: () => nowMs,
    agentQuery: null,
    tables: () => [{ table: { database: "shop", schema: "dbo", table: "item" }, column: "id" }],
  });
  const look = async (minutes: number): Promise<void> => {
    nowMs += minutes * WATCH_MS;
    await watch.idle(session, true);
  };
  return { warnings, look, watch };
}
test("a capture job that stands while tables change is named with both times, once a minute", async () => {
  const { warnings, look } = watching({ agent: [[1]], progress: [LATE], keys: [] });
  await look(0);
  expect(warnings).toEqual([]);
  await look(0.5);
  await look(0.5);
  await look(0.5);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/shop.*10:05:00.*10:00:00.*cdc\.shop_capture.*sp_cdc_start_job/);
  await look(1);
  expect(warnings).toHaveLength(2);
});
test("a server that is idle, or whose job is only a little behind, is not complained of", () => {
  expect(lateness({ changedAt: null, capturedAt: null, behindSeconds: 0, ageSeconds: 0 })).toBeNull();
  expect(lateness({ changedAt: "a", capturedAt: "b", behindSeconds: -20, ageSeconds: 400 })).toBeNull();
  expect(lateness({ changedAt: "a", capturedAt: "b", behindSeconds: 20, ageSeconds: 5 })).toBeNull();
});
test("an agent that does not run is named before anything else", async () => {
  const { warnings, look } = watching({ agent: [[0]], progress: [LATE], keys: [] });
  await look(0);
  await look(1);
  expect(warnings[0]).toContain("SQL Server Agent is not running");
});
test("without the right to see when tables were changed, new keys tell that changes wait", async () => {
  const answers: Answers = { agent: new Error("denied"), progress: new Error("denied"), keys: [["7"]] };
  const { warnings, look, watch } = watching(answers);
  await look(0);
  await look(1);
  answers.keys = [["8"]];
  // Its change may be on its way.
  await look(1);
  expect(warnings).toEqual([]);
  await look(1);
  expect(warnings[0]).toContain("rows with new keys were there 60 s ago");
  watch.moved();
  await look(0);
  await look(1);
  await look(1);
  expect(warnings).toHaveLength(1);
});
