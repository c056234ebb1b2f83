/** States of connectors and tasks and the topics they use, as the topic says; this worker's own reports are seen at once. */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { ClientConfig, KafkaClients, NewTopic } from "#broker/client/types";
import type { TaskId } from "../worker/types.ts";
import {
  connectorStatusKey,
  parseStatusRecord,
  type Status,
  type StatusRecord,
  statusValue,
  taskStatusKey,
  type TopicStatus,
  topicStatusKey,
  topicStatusValue,
} from "./status-records.ts";
import { OwnWrites } from "./own-writes.ts";
import type { SkippedRecords } from "./skipped-records.ts";
import { openTopicLog } from "./topic-log.ts";

export interface StatusStore {
  connector(name: string): Status | null;
  task(id: TaskId): Status | null;
  /** By task number. */
  tasks(connector: string): readonly { readonly id: TaskId; readonly status: Status }[];
  /** Connectors that have a status. */
  connectors(): readonly string[];
  topics(connector: string): readonly TopicStatus[];
  topic(connector: string, topic: string): TopicStatus | null;
  /** DESTROYED removes. Sending is in order and does not wait. */
  putConnector(name: string, status: Status): void;
  putTask(id: TaskId, status: Status): void;
  /** Unless a later owner has already written (Kafka's putSafe). */
  putConnectorSafe(name: string, status: Status): void;
  putTaskSafe(id: TaskId, status: Status): void;
  putTopic(status: TopicStatus): void;
  deleteTopic(connector: string, topic: string): void;
  /** Resolves when everything put so far is in the topic. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
export interface StatusStoreOptions {
  readonly clients: KafkaClients;
  readonly topic: NewTopic;
  readonly adminConfig: ClientConfig;
  readonly producerConfig: ClientConfig;
  readonly consumerConfig: ClientConfig;
  readonly skipped: SkippedRecords;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A status may replace another of the same worker, or of the same or an earlier generation. */
export const mayReplace = (current: Status | null, next: Status): boolean =>
  current === null || current.workerId === next.workerId || current.generation <= next.generation;

/** The fold over the topic, shared with the store in memory. */
export class StatusFold {
  readonly #connectors = new Map<string, Status>();
  readonly #tasks = new Map<string, Map<number, Status>>();
  readonly #topics = new Map<string, Map<string, TopicStatus>>();

  apply(record: StatusRecord | null): void {
    if (record === null) return;
    if (record.kind === "connector") {
      if (record.status === null) this.#connectors.delete(record.connector);
      else this.#connectors.set(record.connector, record.status);
    } else if (record.kind === "task") {
      put(this.#tasks, record.id.connector, record.id.task, record.status);
    } else {
      put(this.#topics, record.connector, record.topic, record.status);
    }
  }
  connector(name: string): Status | null {
    return this.#connectors.get(name) ?? null;
  }
  task(id: TaskId): Status | null {
    return this.#tasks.get(id.connector)?.get(id.task) ?? null;
  }
  tasks(connector: string): { id: TaskId; status: Status }[] {
    const tasks = [...(this.#tasks.get(connector) ?? [])].sort((a, b) => a[0] - b[0]);
    return tasks.map(([task, status]) => ({ id: { connector, task }, status }));
  }
  /** With a status of its own or of a task. */
  connectors(): string[] {
    return [...new Set([...this.#connectors.keys(), ...this.#tasks.keys()])];
  }
  topics(connector: string): TopicStatus[] {
    return [...(this.#topics.get(connector)?.values() ?? [])];
  }
  topic(connector: string, topic: string): TopicStatus | null {
    return this.#topics.get(connector)?.get(topic) ?? null;
  }
}
function put<K, V>(maps: Map<string, Map<K, V>>, outer: string, inner: K, value: V | null): void {
  const map = maps.get(outer) ?? new Map<K, V>();
  if (value === null) map.delete(inner);
  else map.set(inner, value);
  if (map.size === 0) maps.delete(outer);
  else maps.set(outer, map);
}

export async function openStatusStore(options: StatusStoreOptions): Promise<StatusStore> {
  const fold = new StatusFold();
  const own = new OwnWrites();
  const log = await openTopicLog({
    ...options,
    setting: "status.storage.topic",
    purpose: "connector and task statuses",
    apply: (record) => {
      if (!own.isNews(text(record.key), record.value)) return;
      const parsed = parseStatusRecord(record.key, record.value);
      if (parsed === null && record.value !== null) options.skipped.note(record, "is no status");
      fold.apply(parsed);
    },
  });
  const inFlight = new Set<Promise<void>>();
  const send = (key: Buffer, value: Buffer | null): void => {
    const name = text(key);
    own.sent(name, value);
    fold.apply(parseStatusRecord(key, value));
    const sent = log
      .send(key, value)
      .catch((error: unknown) => {
        own.failed(name, value);
        options.log.error(`a status could not be written: ${String(error)}`, { status: name });
      })
      .finally(() => inFlight.delete(sent));
    inFlight.add(sent);
  };
  return statusStore(fold, send, {
    flush: async () => {
      await Promise.all(inFlight);
    },
    close: () => log.close(),
  });
}
const text = (key: Uint8Array | null): string => (key === null ? "" : Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString());
/** Everything but the transport. */
export function statusStore(
  fold: StatusFold,
  send: (key: Buffer, value: Buffer | null) => void,
  ends: { flush(): Promise<void>; close(): Promise<void> },
): StatusStore {
  const value = (status: Status): Buffer | null => (status.state === "DESTROYED" ? null : statusValue(status));
  const putConnector = (name: string, status: Status): void => send(connectorStatusKey(name), value(status));
  const putTask = (id: TaskId, status: Status): void => send(taskStatusKey(id), value(status));
  return {
    connector: (name) => fold.connector(name),
    task: (id) => fold.task(id),
    tasks: (connector) => fold.tasks(connector),
    connectors: () => fold.connectors(),
    topics: (connector) => fold.topics(connector),
    topic: (connector, topic) => fold.topic(connector, topic),
    putConnector,
    putTask,
    putConnectorSafe: (name, status) => {
      if (mayReplace(fold.connector(name), status)) putConnector(name, status);
    },
    putTaskSafe: (id, status) => {
      if (mayReplace(fold.task(id), status)) putTask(id, status);
    },
    putTopic: (status) => send(topicStatusKey(status.topic, status.connector), topicStatusValue(status)),
    deleteTopic: (connector, topic) => send(topicStatusKey(topic, connector), null),
    ...ends,
  };
}
