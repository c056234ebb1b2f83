/** Randomness, injected so that a seed replays a run. */
import { randomBytes, randomInt } from "node:crypto";

export interface Random {
  /** 0 ≤ n < bound. */
  below(bound: number): number;
  bytes(count: number): Uint8Array;
}
export const systemRandom: Random = {
  below: (bound) => randomInt(bound),
  bytes: (count) => randomBytes(count),
};
/** Kafka's Uuid.randomUuid(): version 4, base64url without padding, never starting with "-". */
export function randomUuid(random: Random = systemRandom): string {
  for (;;) {
    const b = Buffer.from(random.bytes(16));
    b[6] = ((b[6] ?? 0) & 0x0f) | 0x40;
    b[8] = ((b[8] ?? 0) & 0x3f) | 0x80;
    const text = b.toString("base64url");
    if (!text.startsWith("-")) return text;
  }
}
