/** `heartbeat.interval.ms`: a record that carries the position when no data does. */
import type { SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { INT64, type Schema, STRING, structOf } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { EventWriter } from "./event-writer.ts";
import { messageOf } from "./source-error.ts";
import type { Timers } from "./task-frame.ts";
import type { CommonSettings } from "./task-settings.ts";
import type { TopicNaming } from "./topic-naming.ts";

const KEY: Schema = structOf([["serverName", STRING]], { name: "io.debezium.connector.common.ServerNameKey", version: 1 });
const VALUE: Schema = structOf([["ts_ms", INT64]], { name: "io.debezium.connector.common.Heartbeat", version: 1 });

export const heartbeatRecord = (
  topic: string,
  prefix: string,
  nowMs: number,
  partition: SourcePartition,
  offset: SourceOffset,
): SourceRecord => ({
  topic,
  partition: 0,
  keySchema: KEY,
  key: new Struct(KEY, [prefix]),
  valueSchema: VALUE,
  value: new Struct(VALUE, [BigInt(nowMs)]),
  timestamp: null,
  headers: [],
  sourcePartition: partition,
  sourceOffset: offset,
});

export function emitHeartbeat(events: EventWriter, naming: TopicNaming, partition: SourcePartition, offset: SourceOffset): void {
  events.tick();
  events.other(heartbeatRecord(naming.heartbeat, naming.prefix, events.nowMs, partition, offset));
  events.flush();
}
export interface HeartbeatSource {
  /** Emits the records; false: there is no stream at the moment whose position could be told. */
  readonly beat: () => boolean;
  /** For `heartbeat.action.query`. */
  readonly execute: (statement: string) => Promise<unknown>;
  readonly warn: (message: string) => void;
}
/** The first one at once. */
export function startHeartbeats({ all }: CommonSettings, timers: Timers, source: HeartbeatSource): void {
  const intervalMs = all.int("heartbeat.interval.ms");
  if (intervalMs <= 0) return;
  const beat = (): void => {
    if (!source.beat()) return;
    const action = all.optional("heartbeat.action.query");
    if (action !== null && action !== "")
      source.execute(action).catch((error: unknown) => source.warn(`heartbeat.action.query failed: ${messageOf(error)}`));
  };
  beat();
  timers.every(intervalMs, beat);
}
