/** What tests of backfills ask of a task, whatever its database. */
import type { Backfill, BackfillRequest } from "#connect/api/backfill";
import { Struct } from "#connect/api/struct";
import { plain, type SourceBench } from "./task-bench.ts";

export const tables = (...names: string[]): BackfillRequest["tables"] => names.map((table) => ({ table, where: null }));
export const ask = async (bench: SourceBench, request: Partial<BackfillRequest> & Pick<BackfillRequest, "tables">): Promise<Backfill> => {
  const [taken] = await bench.backfill({ do: "start", request: { id: null, kind: "incremental", ...request } });
  if (taken === undefined) throw new Error("the request was not answered");
  return taken;
};
export async function shown(bench: SourceBench, id: string): Promise<Backfill> {
  const [backfill] = await bench.backfill({ do: "show", id });
  if (backfill === undefined) throw new Error(`there is no backfill ${id}`);
  return backfill;
}
export async function becomes(bench: SourceBench, id: string, state: Backfill["state"], tries = 600): Promise<Backfill> {
  for (let i = 0; i < tries; i++) {
    const backfill = await shown(bench, id);
    if (backfill.state === state) return backfill;
    if (bench.failure !== null) throw bench.failure;
    await new Promise((r) => setTimeout(r, 25));
  }
  throw new Error(`${JSON.stringify(await shown(bench, id))} does not become ${state}`);
}
/** Rows that were read, by table. */
export const read = (bench: SourceBench, table: string): Record<string, unknown>[] =>
  bench.records.flatMap((r) =>
    r.topic === `p.${table}` && r.value instanceof Struct && r.value.get("op") === "r"
      ? [plain(r.value.get("after")) as Record<string, unknown>]
      : [],
  );
/** Each record's key to its last state. */
export function lastStates(bench: SourceBench, table: string): Map<string, unknown> {
  const state = new Map<string, unknown>();
  for (const r of bench.records) {
    if (r.topic !== `p.${table}`) continue;
    const after = r.value instanceof Struct ? plain(r.value.get("after")) : null;
    if (after === null) state.delete(JSON.stringify(plain(r.key)));
    else state.set(JSON.stringify(plain(r.key)), after);
  }
  return state;
}
/** Kills the task after as many durable records as each round says, while `change` changes rows. It runs when this begins. */
export async function cutOff(
  bench: SourceBench,
  rounds: readonly number[],
  change: (round: number) => Promise<void>,
  limitMs?: number,
): Promise<void> {
  for (const [round, most] of rounds.entries()) {
    bench.keepsOnly(most);
    if (round > 0) await bench.start();
    const wanted = bench.records.length + most;
    await change(round);
    await bench.until(wanted, limitMs);
    await bench.stop();
  }
  bench.onBatch = (batch) => batch.length;
}
