/** Exponential backoff with jitter (KIP-144, KIP-580): doubled per failure, ±20 %, capped. */
import type { Random } from "../base/random.ts";

const JITTER_STEPS = 4001;

export function backoffMs(random: Random, baseMs: number, maxMs: number, failures: number): number {
  const exact = baseMs * 2 ** Math.min(Math.max(failures, 0), 20);
  const jittered = exact * (0.8 + (0.4 * random.below(JITTER_STEPS)) / (JITTER_STEPS - 1));
  return Math.min(jittered, Math.max(maxMs, baseMs));
}
