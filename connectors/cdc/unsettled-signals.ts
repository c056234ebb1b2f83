/** Signals of channels that changed what offsets carry: they are dealt with when a restart would find the change. */
import type { SourceOffset } from "#connect/api/record";
import type { SignalHandler } from "./signal-handler.ts";
import type { Signal } from "./signals.ts";

export interface SignalServing {
  readonly handler: Pick<SignalHandler, "served">;
  readonly incremental: { readonly active: boolean } | null;
  /** What records carry now. */
  readonly offset: () => SourceOffset;
}
export class UnsettledSignals {
  #waiting: readonly { readonly before: string; readonly done: () => void }[] = [];

  /** Resolves when a durable offset has what the signal changed; at once for signals that change none. */
  async served(signal: Signal, { handler, incremental, offset }: SignalServing): Promise<void> {
    const active = (): boolean => incremental?.active === true;
    const wasActive = active();
    await handler.served(signal);
    if (!/^(execute|stop)-snapshot$/.test(signal.type) || !(wasActive || active())) return;
    const before = JSON.stringify(offset());
    await new Promise<void>((done) => {
      this.#waiting = [...this.#waiting, { before, done }];
    });
  }
  durable(offset: SourceOffset): void {
    if (this.#waiting.length === 0) return;
    const text = JSON.stringify(offset);
    for (const each of this.#waiting) if (text !== each.before) each.done();
    this.#waiting = this.#waiting.filter((each) => text === each.before);
  }
}
