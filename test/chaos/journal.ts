/** What a topic holds, as the oracle of delivery tests reads it, and requests to workers. */
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { systemRandom } from "#broker/base/random";
import { createKafkaClients } from "#broker/client/index";
import type { Admin } from "#broker/client/types";

const clients = createKafkaClients({ clock: systemClock, random: systemRandom, logger: silentLogger });
export const admin = (bootstrap: string): Promise<Admin> => clients.admin({ "bootstrap.servers": bootstrap });

export interface Read {
  readonly key: string | null;
  readonly value: string | null;
}
/** All committed records of a topic's first partition. */
export async function recordsOf(bootstrap: string, topic: string): Promise<Read[]> {
  const partition = { topic, partition: 0 };
  const consumer = await clients.consumer({
    "bootstrap.servers": bootstrap,
    "isolation.level": "read_committed",
    "enable.auto.commit": "false",
  });
  const reader = await admin(bootstrap);
  try {
    const [end = 0] = await reader.endOffsets([partition], "read_committed");
    consumer.assign([partition]);
    await consumer.seekToBeginning([partition]);
    const out: Read[] = [];
    const text = (b: Uint8Array | null): string | null => (b === null ? null : Buffer.from(b).toString());
    while ((consumer.position(partition) ?? 0) < end) {
      for (const r of await consumer.poll(500)) out.push({ key: text(r.key), value: text(r.value) });
    }
    return out;
  } finally {
    await consumer.close();
    await reader.close();
  }
}
export interface Findings {
  /** Counts that never came although a later one did. */
  readonly gaps: string[];
  readonly duplicates: number;
  readonly counts: ReadonlyMap<string, number>;
}
/** `TASK:COUNT` values of the counting source: per task 0, 1, 2 … in order, as first appearances. */
export function judge(records: readonly Read[]): Findings {
  const next = new Map<string, number>();
  const gaps: string[] = [];
  let duplicates = 0;
  for (const { value } of records) {
    const [, task = "", count = ""] = /^(\d+):(\d+)/.exec(value ?? "") ?? [];
    const expected = next.get(task) ?? 0;
    const n = Number(count);
    if (n < expected) duplicates++;
    else {
      if (n > expected) gaps.push(`task ${task}: ${expected} to ${n - 1}`);
      next.set(task, n + 1);
    }
  }
  return { gaps, duplicates, counts: next };
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly text: string;
}
/** Status 0: no answer. */
export async function ask(rest: string, method: string, path: string, body?: unknown): Promise<Answer> {
  try {
    const response = await fetch(`${rest}${path}`, {
      method,
      body: body === undefined ? null : JSON.stringify(body),
      headers: body === undefined ? {} : { "content-type": "application/json" },
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    let parsed: unknown = text;
    try {
      parsed = text === "" ? null : JSON.parse(text);
    } catch {
      // Not JSON: the text stands.
    }
    return { status: response.status, body: parsed, text };
  } catch (error) {
    return { status: 0, body: null, text: String(error) };
  }
}
/** Until it is accepted: 409 and no answer at all are tried again. */
export async function accepted(rest: string, method: string, path: string, body?: unknown): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const answer = await ask(rest, method, path, body);
    if (answer.status >= 200 && answer.status < 300) return answer;
    if ((answer.status !== 409 && answer.status !== 0) || attempt > 200)
      throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}
export interface StatusBody {
  readonly name: string;
  readonly connector: { readonly state: string; readonly worker_id: string; readonly trace?: string };
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly worker_id: string; readonly trace?: string }[];
}
export async function statusOf(rest: string, name: string): Promise<StatusBody | null> {
  const { status, body } = await ask(rest, "GET", `/connectors/${encodeURIComponent(name)}/status`);
  return status === 200 ? (body as StatusBody) : null; // the shape of Kafka Connect's answer
}
/** Waits until it is null; then fails with what it says. */
export async function until(wrong: () => Promise<string | null> | string | null, timeoutMs = 40_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const problem = await wrong();
    if (problem === null) return;
    if (Date.now() > deadline) throw new Error(`after ${timeoutMs} ms still: ${problem}`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}
/** Null when the connector and that many tasks run. */
export async function notRunning(rest: string, name: string, tasks: number, workers?: readonly string[]): Promise<string | null> {
  const status = await statusOf(rest, name);
  if (status === null) return `${name}: no status`;
  const all = [status.connector, ...status.tasks];
  const fine = status.tasks.length === tasks && all.every((s) => s.state === "RUNNING" && (workers?.includes(s.worker_id) ?? true));
  return fine ? null : JSON.stringify(status);
}
/** Makes the broker compact the topic now and waits until it has. */
export async function compacted(bootstrap: string, topic: string): Promise<void> {
  const client = await admin(bootstrap);
  const producer = await clients.producer({ "bootstrap.servers": bootstrap, "linger.ms": "0" });
  try {
    const eager = { "segment.ms": "100", "min.cleanable.dirty.ratio": "0.0", "min.compaction.lag.ms": "0", "delete.retention.ms": "0" };
    await client.alterTopicConfigs(topic, { ...eager, "max.compaction.lag.ms": "1000" });
    await producer.partitions(topic);
    await until(async () => {
      // Records that mean nothing to workers roll the segment.
      await producer.send(topic, 0, Buffer.from("unknown-key"), Buffer.from("{}"));
      const keys = (await recordsOf(bootstrap, topic)).slice(0, -3).map((r) => r.key);
      return new Set(keys).size === keys.length ? null : `${keys.length} records for ${new Set(keys).size} keys`;
    });
    await client.alterTopicConfigs(topic, { "segment.ms": "604800000" });
  } finally {
    await producer.close();
    await client.close();
  }
}
