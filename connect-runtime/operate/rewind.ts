/** Going back without three requests and a guess when the connector has stopped; export and import of a connector's state. */
import { badRequest, conflict } from "../herder/errors.ts";
import type { Herder } from "../herder/types.ts";
import type { ConfigMap, OffsetEntry, RequestedOffset } from "../worker/types.ts";

const STOP_TIMEOUT_MS = 30_000;
const LOOK_MS = 100;
export type Sleep = (ms: number) => Promise<void>;

export interface ExportedState {
  readonly name: string;
  readonly type: string;
  /** Secrets masked. */
  readonly config: ConfigMap;
  readonly state: string;
  readonly offsets: readonly OffsetEntry[];
}

/** Resolves when no task of it is alive any more. Throws RestError(409) when that takes too long. */
export async function untilStopped(herder: Herder, name: string, sleep: Sleep): Promise<void> {
  for (let waitedMs = 0; waitedMs < STOP_TIMEOUT_MS; waitedMs += LOOK_MS) {
    const status = herder.status(name);
    const alive = status.tasks.some((t) => t.state === "RUNNING" || t.state === "PAUSED" || t.state === "RESTARTING");
    if (status.connector.state === "STOPPED" && !alive) return;
    await sleep(LOOK_MS);
  }
  throw conflict(`Connector ${name} did not stop within ${STOP_TIMEOUT_MS} ms; its offsets were left as they are. Try again.`);
}
/** `offsets` null: to the beginning. A connector that was running runs again afterwards, also when it failed to rewind. */
export async function rewound(herder: Herder, name: string, offsets: readonly RequestedOffset[] | null, sleep: Sleep): Promise<string> {
  const before = herder.status(name).connector.state;
  if (before !== "STOPPED") await herder.stop(name);
  try {
    await untilStopped(herder, name, sleep);
    return await settled(() => herder.alterOffsets(name, offsets), sleep);
  } finally {
    if (before === "PAUSED") await herder.pause(name);
    else if (before !== "STOPPED") await herder.resume(name);
  }
}
export async function imported(herder: Herder, name: string, offsets: readonly OffsetEntry[]): Promise<string> {
  if (offsets.length === 0) throw badRequest("The state has no offsets to take over");
  const given = new Set(offsets.map((e) => canonical(e)));
  const gone = (await herder.offsets(name)).filter((e) => !given.has(canonical(e))).map((e) => ({ partition: e.partition, offset: null }));
  return herder.alterOffsets(name, [...gone, ...offsets]);
}
const canonical = ({ partition }: OffsetEntry): string =>
  JSON.stringify(
    Object.entries(partition)
      .map(([k, v]) => `${k}=${String(v)}`)
      .sort((a, b) => (a < b ? -1 : 1)),
  );

const TRIES = 20;
/** A sink's last member may leave its group a moment after its task has ended. */
async function settled(run: () => Promise<string>, sleep: Sleep): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      const message = error instanceof Error ? error.message : "";
      if (attempt >= TRIES || !/zombie|active|NON_EMPTY_GROUP|STOPPED state/i.test(message)) throw error;
      await sleep(LOOK_MS * 5);
    }
  }
}
