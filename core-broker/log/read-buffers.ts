/** What segments are read into. Fetch answers give theirs back when they are sent; other readers leave theirs to the collector. */
import { BufferPool } from "../base/buffer-pool.ts";

const KEPT_BYTES_MAX = 16 << 20;
export const readBuffers = new BufferPool(KEPT_BYTES_MAX);
