/** Keys and values of the status topic, as Kafka Connect writes them. */
import type { ExecutionState, TaskId } from "../worker/types.ts";
import { parseObject } from "./config-records.ts";

export interface Status {
  readonly state: ExecutionState;
  readonly trace: string | null;
  readonly workerId: string;
  readonly generation: number;
  /** Version of the connector's plugin. */
  readonly version: string | null;
}
export interface TopicStatus {
  readonly topic: string;
  readonly connector: string;
  readonly task: number;
  readonly discoveredMs: number;
}
export type StatusRecord =
  | { readonly kind: "connector"; readonly connector: string; readonly status: Status | null }
  | { readonly kind: "task"; readonly id: TaskId; readonly status: Status | null }
  | { readonly kind: "topic"; readonly connector: string; readonly topic: string; readonly status: TopicStatus | null };

const TOPIC_SEPARATOR = ":connector-";
export const connectorStatusKey = (connector: string): Buffer => Buffer.from(`status-connector-${connector}`);
export const taskStatusKey = (id: TaskId): Buffer => Buffer.from(`status-task-${id.connector}-${id.task}`);
export const topicStatusKey = (topic: string, connector: string): Buffer =>
  Buffer.from(`status-topic-${topic}${TOPIC_SEPARATOR}${connector}`);

export const statusValue = (status: Status): Buffer =>
  Buffer.from(
    JSON.stringify({
      state: status.state,
      trace: status.trace,
      worker_id: status.workerId,
      generation: status.generation,
      version: status.version,
    }),
  );
export const topicStatusValue = (status: TopicStatus): Buffer =>
  Buffer.from(
    JSON.stringify({
      topic: { name: status.topic, connector: status.connector, task: status.task, discoverTimestamp: status.discoveredMs },
    }),
  );

/** Null: nothing that we know. */
export function parseStatusRecord(key: Uint8Array | null, value: Uint8Array | null): StatusRecord | null {
  if (key === null) return null;
  const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString();
  const body = value === null ? null : parseObject(value);
  if (body === undefined) return null;
  if (name.startsWith("status-connector-")) {
    const status = body && parseStatus(body);
    return status === undefined ? null : { kind: "connector", connector: name.slice(17), status };
  }
  if (name.startsWith("status-task-")) {
    const rest = name.slice(12);
    const at = rest.lastIndexOf("-");
    const status = body && parseStatus(body);
    if (at < 1 || !/^\d{1,9}$/.test(rest.slice(at + 1)) || status === undefined) return null;
    return { kind: "task", id: { connector: rest.slice(0, at), task: Number(rest.slice(at + 1)) }, status };
  }
  if (!name.startsWith("status-topic-")) return null;
  const at = name.indexOf(TOPIC_SEPARATOR);
  if (at < 0) return null;
  const topic = name.slice(13, at);
  const connector = name.slice(at + TOPIC_SEPARATOR.length);
  const status = body && parseTopic(body, topic, connector);
  return body !== null && status === null ? null : { kind: "topic", topic, connector, status };
}
const STATES: ReadonlySet<string> = new Set(["UNASSIGNED", "RUNNING", "PAUSED", "FAILED", "DESTROYED", "RESTARTING", "STOPPED"]);
const isState = (text: unknown): text is ExecutionState => typeof text === "string" && STATES.has(text);

function parseStatus(body: Readonly<Record<string, unknown>>): Status | undefined {
  const { state, trace, worker_id: workerId, generation, version } = body;
  if (!isState(state) || typeof workerId !== "string" || typeof generation !== "number") return undefined;
  return {
    state,
    trace: typeof trace === "string" ? trace : null,
    workerId,
    generation,
    version: typeof version === "string" ? version : null,
  };
}
function parseTopic(body: Readonly<Record<string, unknown>>, topic: string, connector: string): TopicStatus | null {
  const inner = body["topic"];
  if (typeof inner !== "object" || inner === null) return null;
  const { task, discoverTimestamp } = Object.fromEntries(Object.entries(inner));
  return {
    topic,
    connector,
    task: typeof task === "number" ? task : 0,
    discoveredMs: typeof discoverTimestamp === "number" ? discoverTimestamp : 0,
  };
}
