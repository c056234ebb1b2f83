/** What the tasks of all databases are made of. */
import type { Logger } from "#connect/api/connector";
import type { SourceOffset, SourcePartition } from "#connect/api/record";
import { EventWriter } from "./event-writer.ts";
import { Notifier } from "./notifications.ts";
import type { RecordQueue } from "./record-queue.ts";
import type { CommonSettings } from "./task-settings.ts";

/** Since 1970, with the fraction that the clock has. */
export const nowMicros = (): number => (performance.timeOrigin + performance.now()) * 1000;

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
