/** What the tasks of all databases are made of. */
import type { Logger, SourceTaskContext } from "#connect/api/connector";
import type { SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { EventWriter } from "./event-writer.ts";
import { Notifier } from "./notifications.ts";
import { RecordQueue } from "./record-queue.ts";
import { readRecords, startReading, type TaskLife, taskReading } from "./retries.ts";
import { channelSettings, SignalChannels } from "./signal-channels.ts";
import type { CommonSettings } from "./task-settings.ts";

/** The reference's first line for whatever stops reading. */
export const STOPPED = "An exception occurred in the change event producer. This connector will be stopped.";

/** Since 1970, with the fraction that the clock has. */
export const nowMicros = (): number => (performance.timeOrigin + performance.now()) * 1000;

/** What is done again and again while a task reads. */
export class Timers {
  readonly #running = new Set<NodeJS.Timeout>();
  every(intervalMs: number, action: () => void): void {
    this.#running.add(setInterval(action, intervalMs));
  }
  clear(): void {
    for (const timer of this.#running) clearInterval(timer);
    this.#running.clear();
  }
}

/** Events of one partition, and notifications between them. `offset`: the position that notifications carry. */
export function emitters(
  { all, headers }: CommonSettings,
  queue: RecordQueue,
  at: { readonly partition: SourcePartition; readonly log: Logger; readonly offset: () => SourceOffset },
): { readonly events: EventWriter; readonly notifier: Notifier } {
  const events = new EventWriter({ partition: at.partition, headers, tombstones: all.bool("tombstones.on.delete"), nowMicros }, queue);
  const notifier = new Notifier(all, {
    ...at,
    emit: (record) => {
      events.other(record);
      events.flush();
    },
  });
  return { events, notifier };
}

/** A connection that may have been lost while nobody used it: `current` if it still answers, else a new one. */
export async function livingConnection<C>(
  current: C | null,
  {
    ping,
    end,
    open,
  }: { readonly ping: (c: C) => Promise<unknown>; readonly end: (c: C) => Promise<void> | void; readonly open: () => Promise<C> },
): Promise<C> {
  if (current !== null) {
    try {
      await ping(current);
      return current;
    } catch {
      await end(current);
    }
  }
  return open();
}

/** What is around the reading of a database, whichever it is. */
export interface TaskFrame {
  readonly queue: RecordQueue;
  readonly channels: SignalChannels;
  readonly timers: Timers;
  readonly start: () => Promise<void>;
  readonly poll: () => Promise<readonly SourceRecord[]>;
}
/** `onSpace`: the queue, which was full, has room again. */
export function taskFrame(settings: CommonSettings, context: SourceTaskContext, life: TaskLife, onSpace: () => void): TaskFrame {
  const queue = new RecordQueue(settings.queue);
  queue.onSpace = onSpace;
  const channels = new SignalChannels(channelSettings(settings.all), context);
  const reading = taskReading(settings, queue, life);
  return {
    queue,
    channels,
    timers: new Timers(),
    async start() {
      await channels.check();
      await startReading(reading, context.log);
    },
    poll: () => readRecords(reading),
  };
}
