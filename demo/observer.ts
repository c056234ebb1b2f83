/**
 * Watches the running pipeline from outside, as a user's tools would: REST for states, the broker for offsets and events, both
 * databases for their content.
 */
import type { Admin, ConsumedRecord, Consumer, KafkaClients, TopicPartition } from "#broker/client/types";
import { type Content, connect, content, type Trickle } from "./inventory.ts";

export interface ConnectorView {
  readonly name: string;
  readonly state: string;
  readonly tasks: readonly string[];
  /** First line of a failed connector's or task's trace. */
  readonly cause: string | null;
}
export interface Comparison {
  readonly source: Content;
  readonly replica: Content;
  readonly equal: boolean;
  readonly atMs: number;
  /** How long the replica took to catch up with a source that stood still. */
  readonly caughtUpMs: number | null;
}
export interface View {
  readonly connectors: readonly ConnectorView[];
  readonly events: number;
  readonly eventsPerSecond: number;
  /** Events in the topics that the replica has not committed yet. */
  readonly lag: number;
  readonly lastChange: string | null;
  readonly comparison: Comparison | null;
  /** What could not be looked at this time. */
  readonly trouble: string | null;
}
export interface Observer {
  view(): View;
  close(): Promise<void>;
}
export interface ObserverOptions {
  readonly clients: KafkaClients;
  readonly bootstrap: string;
  readonly rest: string;
  readonly samplePort: number;
  readonly topics: readonly string[];
  readonly sinkGroup: string;
  readonly trickle: Trickle;
}
const LOOK_MS = 1000;
/** Comparing pauses the trickle until the replica has caught up, so it is done now and then only. */
const COMPARE_EVERY = 5;
const CATCH_UP_MS_MAX = 3000;

export async function observe(o: ObserverOptions): Promise<Observer> {
  const config = { "bootstrap.servers": o.bootstrap, "client.id": "millrace-demo" };
  const admin = await o.clients.admin(config);
  const consumer = await o.clients.consumer({ ...config, "auto.offset.reset": "latest", "enable.auto.commit": "false" });
  const state = {
    connectors: [] as ConnectorView[],
    events: 0,
    eventsPerSecond: 0,
    lag: 0,
    lastChange: null as string | null,
    comparison: null as Comparison | null,
    trouble: null as string | null,
  };
  const stopped = new AbortController();
  const looking = look(o, admin, consumer, state, stopped.signal);
  return {
    view: () => ({ ...state }),
    async close() {
      stopped.abort();
      consumer.wakeup();
      await looking;
      await consumer.close();
      await admin.close();
    },
  };
}

type State = { -readonly [K in keyof View]: View[K] };

async function look(o: ObserverOptions, admin: Admin, consumer: Consumer, state: State, signal: AbortSignal): Promise<void> {
  let assigned: TopicPartition[] = [];
  let before: { events: number; at: number } | null = null;
  for (let round = 0; !signal.aborted; round++) {
    const begun = performance.now();
    try {
      state.connectors = await connectors(o.rest);
      const partitions = [...(await admin.describeTopics(o.topics)).values()].flatMap((t) =>
        t.partitions.map((p) => ({ topic: t.name, partition: p.partition })),
      );
      if (partitions.length !== assigned.length) {
        assigned = partitions;
        consumer.assign(partitions);
      }
      const ends = await admin.endOffsets(partitions);
      const begins = await admin.beginningOffsets(partitions);
      state.events = ends.reduce((sum, end, i) => sum + end - (begins[i] ?? 0), 0);
      if (before !== null) state.eventsPerSecond = ((state.events - before.events) * 1000) / (begun - before.at);
      before = { events: state.events, at: begun };
      const committed = new Map((await admin.groupOffsets(o.sinkGroup)).map((c) => [`${c.topic} ${c.partition}`, c.offset]));
      state.lag = ends.reduce(
        (sum, end, i) => sum + Math.max(0, end - (committed.get(`${partitions[i]?.topic} ${partitions[i]?.partition}`) ?? begins[i] ?? 0)),
        0,
      );
      const records = assigned.length === 0 ? [] : await consumer.poll(200);
      state.lastChange = records.map(inPlainWords).findLast((text) => text !== null) ?? state.lastChange;
      if (round % COMPARE_EVERY === 1 && committed.size > 0) state.comparison = await compare(o, signal);
      state.trouble = null;
    } catch (error) {
      state.trouble = error instanceof Error ? (error.message.split("\n")[0] ?? null) : String(error);
    }
    await pause(Math.max(50, LOOK_MS - (performance.now() - begun)), signal);
  }
}
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((wake) => {
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), wake()), { once: true });
  });

async function connectors(rest: string): Promise<ConnectorView[]> {
  const response = await fetch(`${rest}/connectors?expand=status`, { signal: AbortSignal.timeout(5000) });
  const body: unknown = await response.json();
  return Object.entries(Object(body)).map(([name, entry]) => {
    const status: unknown = Reflect.get(Object(entry), "status");
    const connector: unknown = Reflect.get(Object(status), "connector");
    const tasks: unknown = Reflect.get(Object(status), "tasks");
    const parts = [connector, ...(Array.isArray(tasks) ? tasks : [])];
    const traces = parts.map((p) => Reflect.get(Object(p), "trace")).filter((t): t is string => typeof t === "string");
    const states = parts.map((p) => String(Reflect.get(Object(p), "state") ?? "?"));
    return { name, state: states[0] ?? "?", tasks: states.slice(1), cause: traces[0]?.split("\n")[0] ?? null };
  });
}

/** Source and replica at the same point: the trickle rests until the replica shows the same rows or the time is up. */
async function compare(o: ObserverOptions, signal: AbortSignal): Promise<Comparison> {
  const source = await connect(o.samplePort, "inventory");
  const replica = await connect(o.samplePort, "inventory_replica");
  await o.trickle.pause();
  try {
    const wanted = await content(source);
    const begun = performance.now();
    for (;;) {
      const found = await content(replica);
      const waited = performance.now() - begun;
      const equal = found.checksum === wanted.checksum && found.rows === wanted.rows;
      if (equal || waited > CATCH_UP_MS_MAX || signal.aborted)
        return { source: wanted, replica: found, equal, atMs: Date.now(), caughtUpMs: equal ? Math.round(waited) : null };
      await pause(50, signal);
    }
  } finally {
    o.trickle.resume();
    await source.end();
    await replica.end();
  }
}

/** "orders 17: note 'a' → 'b'"; null for records that are no change of a row. */
export function inPlainWords(record: ConsumedRecord): string | null {
  if (record.value === null) return null;
  const message: unknown = JSON.parse(Buffer.from(record.value).toString("utf8"));
  const payload: unknown = Reflect.get(Object(message), "payload") ?? message;
  const before: unknown = Reflect.get(Object(payload), "before");
  const after: unknown = Reflect.get(Object(payload), "after");
  const table = String(Reflect.get(Object(Reflect.get(Object(payload), "source")), "table") ?? record.topic);
  const key =
    record.key === null
      ? ""
      : Object.values(Object(Reflect.get(Object(JSON.parse(Buffer.from(record.key).toString("utf8"))), "payload"))).join("/");
  const scales = decimalScales(message);
  const say = (name: string, value: unknown): string => plainValue(value, scales.get(name));
  const fields = (row: unknown): string =>
    Object.entries(Object(row))
      .slice(0, 4)
      .map(([name, value]) => `${name}=${say(name, value)}`)
      .join(" ");
  switch (Reflect.get(Object(payload), "op")) {
    case "r":
      return `${table} ${key} was there at the snapshot: ${fields(after)}`;
    case "c":
      return `${table} ${key} was inserted: ${fields(after)}`;
    case "u":
      return `${table} ${key} was updated: ${before === null ? fields(after) : changed(before, after, say)}`;
    case "d":
      return `${table} ${key} was deleted`;
    default:
      return null;
  }
}
function changed(before: unknown, after: unknown, say: (name: string, value: unknown) => string): string {
  const old = Object(before);
  return Object.entries(Object(after))
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(Reflect.get(old, name)))
    .map(([name, value]) => `${name} ${say(name, Reflect.get(old, name))} → ${say(name, value)}`)
    .join(", ");
}
/** Scale of each Decimal column, from the message's own schema. */
function decimalScales(message: unknown): ReadonlyMap<string, number> {
  const fieldsOf = (schema: unknown): unknown[] => {
    const fields: unknown = Reflect.get(Object(schema), "fields");
    return Array.isArray(fields) ? fields : [];
  };
  const row = fieldsOf(Reflect.get(Object(message), "schema")).find((f) => Reflect.get(Object(f), "field") === "after");
  return new Map(
    fieldsOf(row)
      .filter((f) => Reflect.get(Object(f), "name") === "org.apache.kafka.connect.data.Decimal")
      .map((f) => [String(Reflect.get(Object(f), "field")), Number(Reflect.get(Object(Reflect.get(Object(f), "parameters")), "scale"))]),
  );
}
/** Decimals travel as base64 of their unscaled bytes; people want digits. */
function plainValue(value: unknown, scale: number | undefined): string {
  if (scale === undefined || typeof value !== "string") return JSON.stringify(value) ?? "null";
  const bytes = Buffer.from(value, "base64");
  return (Number(BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString("hex")}`))) / 10 ** scale).toFixed(scale);
}
