/**
 * Commits source offsets: at most one write at a time, and the source hears of an offset only after it is durable in the offset
 * store. A write that fails is made again with the next flush.
 */
import type { SourceTask } from "../api/connector.ts";
import { canonicalKey } from "../store/offset-json.ts";
import type { CommittableOffset, DeliveryLedger } from "./delivery-ledger.ts";
import { numberOf } from "./settings.ts";
import type { TaskHost } from "./task-host.ts";

export class SourceOffsetFlusher {
  readonly #host: TaskHost;
  readonly #ledger: DeliveryLedger;
  readonly #advance: () => void;
  readonly #timeoutMs: number;
  #writing: Promise<void> | null = null;
  readonly #durable = new Map<string, CommittableOffset>();

  constructor(host: TaskHost, ledger: DeliveryLedger, advance: () => void) {
    this.#host = host;
    this.#ledger = ledger;
    this.#advance = advance;
    this.#timeoutMs = numberOf(host.workerConfig, "offset.flush.timeout.ms", 5_000);
  }
  /** Starts a flush unless one is under way. Never throws: the loop sees failed deliveries for itself. */
  start(): void {
    if (this.#writing !== null) return;
    try {
      this.#advance();
    } catch {
      // The loop meets the same failed delivery and ends the task; what lies before it is still committed.
    }
    const entries = this.#ledger.take();
    if (entries.length === 0) return;
    this.#writing = this.#write(entries).finally(() => {
      this.#writing = null;
    });
  }
  async #write(entries: readonly CommittableOffset[]): Promise<void> {
    const { clock, counters, offsets, log } = this.#host;
    const started = clock.monotonic();
    const slow = clock.after(this.#timeoutMs, () =>
      log.warn(`an offset commit takes longer than ${this.#timeoutMs} ms (offset.flush.timeout.ms); still waiting`),
    );
    try {
      await offsets.write(entries);
      for (const entry of entries) this.#durable.set(canonicalKey("", entry.partition), entry);
      counters.commit(true, clock.monotonic() - started);
    } catch (error) {
      this.#ledger.putBack(entries);
      counters.commit(false, clock.monotonic() - started);
      log.error(`offset commit failed, it is made again with the next one: ${String(error)}`);
    } finally {
      slow.cancel();
    }
  }
  /** Tells the source what has become durable since the last call. To be called between polls. */
  async tellDurable(task: SourceTask): Promise<void> {
    if (this.#durable.size === 0) return;
    const durable = [...this.#durable.values()];
    this.#durable.clear();
    await task.durable?.(durable);
  }
  /** The flush at the end: waits for the one under way, then writes the rest. */
  async last(limitMs: number): Promise<void> {
    const all = async (): Promise<void> => {
      await this.#writing;
      const entries = this.#ledger.take();
      if (entries.length > 0) await this.#write(entries);
    };
    await Promise.race([all(), this.#host.clock.sleep(limitMs)]);
  }
}
