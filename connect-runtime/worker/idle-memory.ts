/** What a burst of work left behind is given back to the system once it is quiet: garbage, and a young generation that had grown. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "#broker/base/clock";

const FIRST_MS = 1_500;
const LOOK_MS = 2_500;
/**
 * Share of time in which the event loop was busy, above which it is not a good moment: a thousand small transactions a second keep it
 * busy for a tenth, and the pause would be the latency of one in a hundred of them. An idle broker with its clients has 0.005.
 */
const QUIET = 0.02;
const GROWN_BYTES = 6 * 1024 * 1024;

/**
 * V8 keeps this function from programs unless a flag asks for it; the flag is needed only while it is fetched. It belongs to the whole
 * process: another thread may take it away in between, then null is the answer, and the next look tries again.
 */
function collector(): (() => void) | null {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext('typeof gc === "function" ? gc : null');
  setFlagsFromString("--no-expose-gc");
  return typeof collect === "function" ? () => void collect({ type: "major", execution: "sync", flavor: "last-resort" }) : null;
}
/**
 * A full collection shortly after the start, and later whenever the heap has grown and the thread is idle: some 30 ms of pause at a
 * quiet moment, and 10 to 20 MB less of resident memory for each thread. The engine would come to it only under load.
 */
export function settleWhenIdle(clock: Clock): { close(): void } {
  let collect: (() => void) | null | undefined;
  let settled = 0;
  let before = performance.eventLoopUtilization();
  const look = (): void => {
    timer = clock.after(LOOK_MS, look);
    const now = performance.eventLoopUtilization();
    const busy = performance.eventLoopUtilization(now, before).utilization;
    before = now;
    if (busy > QUIET || process.memoryUsage().heapTotal < settled + GROWN_BYTES) return;
    collect ??= collector();
    collect?.();
    settled = process.memoryUsage().heapTotal;
  };
  let timer = clock.after(FIRST_MS, look);
  return { close: () => timer.cancel() };
}
