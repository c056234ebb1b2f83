/**
 * Offsets every `offset.flush.interval.ms` through the offset store: at most one write at a time, of the acknowledged prefix. A
 * write that fails is made again with the next one.
 */
import type { Timer } from "#broker/base/clock";
import type { SourceTask } from "../api/connector.ts";
import type { CommittableOffset } from "./delivery-ledger.ts";
import { numberOf } from "./settings.ts";
import { DurableOffsets, type SourceCommits, type SourceCommitsOptions } from "./source-commits.ts";

export class PeriodicCommits implements SourceCommits {
  readonly #o: SourceCommitsOptions;
  readonly #timeoutMs: number;
  readonly #intervalMs: number;
  readonly #durable = new DurableOffsets();
  #writing: Promise<void> | null = null;
  #timer: Timer | null = null;

  constructor(options: SourceCommitsOptions) {
    this.#o = options;
    this.#timeoutMs = numberOf(options.host.workerConfig, "offset.flush.timeout.ms", 5_000);
    this.#intervalMs = numberOf(options.host.workerConfig, "offset.flush.interval.ms", 60_000);
  }
  async open(): Promise<void> {
    const tick = (): void => {
      this.#flush();
      this.#timer = this.#o.host.clock.after(this.#intervalMs, tick);
    };
    this.#timer = this.#o.host.clock.after(this.#intervalMs, tick);
    await Promise.resolve();
  }
  beforeBatch(): void {}
  async afterBatch(): Promise<void> {}
  tellDurable(task: SourceTask): Promise<void> {
    return this.#durable.tell(task);
  }
  /** Whatever ended the task: what is acknowledged gets committed, so that a restart repeats as little as possible. */
  async close(_failed: boolean, limitMs: number): Promise<void> {
    const { producer, ledger, host } = this.#o;
    this.#timer?.cancel();
    // A flush that fails still leaves an acknowledged prefix.
    await Promise.race([producer.flush().catch(() => {}), host.clock.sleep(limitMs)]);
    ledger.advance();
    const rest = async (): Promise<void> => {
      await this.#writing;
      const entries = ledger.take();
      if (entries.length > 0) await this.#write(entries);
    };
    await Promise.race([rest(), host.clock.sleep(limitMs)]);
  }
  /** Starts a write unless one is under way. Never throws: the loop meets failed deliveries for itself. */
  #flush(): void {
    if (this.#writing !== null) return;
    try {
      this.#o.advance();
    } catch {
      // The loop meets the same failed delivery and ends the task; what lies before it is still committed.
    }
    const entries = this.#o.ledger.take();
    if (entries.length === 0) return;
    this.#writing = this.#write(entries).finally(() => {
      this.#writing = null;
    });
  }
  async #write(entries: readonly CommittableOffset[]): Promise<void> {
    const { clock, counters, offsets, log } = this.#o.host;
    const started = clock.monotonic();
    const slow = clock.after(this.#timeoutMs, () =>
      log.warn(`an offset commit takes longer than ${this.#timeoutMs} ms (offset.flush.timeout.ms); still waiting`),
    );
    try {
      await offsets.write(entries);
      this.#durable.add(entries);
      counters.commit(true, clock.monotonic() - started);
    } catch (error) {
      this.#o.ledger.putBack(entries);
      counters.commit(false, clock.monotonic() - started);
      log.error(`offset commit failed, it is made again with the next one: ${String(error)}`);
    } finally {
      slow.cancel();
    }
  }
}
