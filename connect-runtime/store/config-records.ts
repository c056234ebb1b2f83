/** Keys and values of the config topic, as Kafka Connect writes them: JSON without schemas, this order of members. */
import type { ConfigMap, TargetState } from "../worker/types.ts";

export interface SessionKey {
  /** Base64. */
  readonly key: string;
  readonly algorithm: string;
  readonly creationMs: number;
}
export interface RestartRequest {
  readonly connector: string;
  readonly includeTasks: boolean;
  readonly onlyFailed: boolean;
}
/** A parsed record; value null is a tombstone. */
export type ConfigRecord =
  | { readonly kind: "connector"; readonly connector: string; readonly properties: ConfigMap | null }
  | { readonly kind: "task"; readonly connector: string; readonly task: number; readonly properties: ConfigMap | null }
  | { readonly kind: "commit"; readonly connector: string; readonly tasks: number }
  | { readonly kind: "target"; readonly connector: string; readonly state: TargetState | null }
  | { readonly kind: "fencing"; readonly connector: string; readonly taskCount: number }
  | { readonly kind: "session-key"; readonly key: SessionKey }
  | { readonly kind: "restart"; readonly request: RestartRequest }
  | { readonly kind: "logger"; readonly namespace: string; readonly level: string };

export interface KeyValue {
  readonly key: Buffer;
  readonly value: Buffer | null;
}
const record = (key: string, value: object | null): KeyValue => ({
  key: Buffer.from(key),
  value: value === null ? null : Buffer.from(JSON.stringify(value)),
});

export const connectorRecord = (connector: string, properties: ConfigMap | null): KeyValue =>
  record(`connector-${connector}`, properties === null ? null : { properties });
export const taskRecord = (connector: string, task: number, properties: ConfigMap): KeyValue =>
  record(`task-${connector}-${task}`, { properties });
export const commitRecord = (connector: string, tasks: number): KeyValue => record(`commit-${connector}`, { tasks });
/** `state` is for workers before KIP-875, which know no STOPPED. */
export const targetRecord = (connector: string, state: TargetState | null): KeyValue =>
  record(`target-state-${connector}`, state === null ? null : { state: state === "STOPPED" ? "PAUSED" : state, "state.v2": state });
export const fencingRecord = (connector: string, taskCount: number): KeyValue =>
  record(`tasks-fencing-${connector}`, { "task-count": taskCount });
export const sessionKeyRecord = (key: SessionKey): KeyValue =>
  record("session-key", { key: key.key, algorithm: key.algorithm, "creation-timestamp": key.creationMs });
export const restartRecord = (request: RestartRequest): KeyValue =>
  record(`restart-connector-${request.connector}`, { "include-tasks": request.includeTasks, "only-failed": request.onlyFailed });
export const loggerRecord = (namespace: string, level: string): KeyValue => record(`logger-cluster-${namespace}`, { level });

/** Null: a record that means nothing here (unknown key, malformed value); it is skipped as Kafka Connect skips it. */
export function parseConfigRecord(key: Uint8Array | null, value: Uint8Array | null): ConfigRecord | null {
  if (key === null) return null;
  const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString();
  const body = value === null ? null : parseObject(value);
  if (body === undefined) return null;
  if (name === "session-key") return body === null ? null : parseSessionKey(body);
  if (name.startsWith("connector-")) {
    const given = body && properties(body);
    // Not a removal: what is damaged changes nothing.
    return given === undefined ? null : { kind: "connector", connector: name.slice(10), properties: given };
  }
  if (name.startsWith("target-state-")) return parseTarget(name.slice(13), body);
  if (name.startsWith("task-")) return parseTask(name.slice(5), body);
  if (body === null) return null;
  if (name.startsWith("commit-")) return numberRecord(body["tasks"], (tasks) => ({ kind: "commit", connector: name.slice(7), tasks }));
  if (name.startsWith("tasks-fencing-"))
    return numberRecord(body["task-count"], (taskCount) => ({ kind: "fencing", connector: name.slice(14), taskCount }));
  if (name.startsWith("restart-connector-")) {
    const request = {
      connector: name.slice(18),
      includeTasks: body["include-tasks"] === true,
      onlyFailed: body["only-failed"] === true,
    };
    return { kind: "restart", request };
  }
  const level = body["level"];
  if (name.startsWith("logger-cluster-") && typeof level === "string") return { kind: "logger", namespace: name.slice(15), level };
  return null;
}

type Json = Readonly<Record<string, unknown>>;
export function parseObject(bytes: Uint8Array): Json | null | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
    if (parsed === null) return null;
    return typeof parsed === "object" && !Array.isArray(parsed) ? Object.fromEntries(Object.entries(parsed)) : undefined;
  } catch {
    return undefined;
  }
}
/** Undefined: there are none. */
function properties(body: Json): ConfigMap | undefined {
  const given = body["properties"];
  if (typeof given !== "object" || given === null || Array.isArray(given)) return undefined;
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) if (value !== null) out[name] = typeof value === "string" ? value : String(value);
  return out;
}
function numberRecord(value: unknown, make: (n: number) => ConfigRecord): ConfigRecord | null {
  return typeof value === "number" ? make(value) : null;
}
function parseSessionKey(body: Json): ConfigRecord | null {
  const { key, algorithm, "creation-timestamp": created } = body;
  if (typeof key !== "string" || typeof algorithm !== "string" || typeof created !== "number") return null;
  return { kind: "session-key", key: { key, algorithm, creationMs: created } };
}
function parseTarget(connector: string, body: Json | null): ConfigRecord | null {
  if (body === null) return { kind: "target", connector, state: null };
  const state = body["state.v2"] ?? body["state"];
  return state === "STARTED" || state === "PAUSED" || state === "STOPPED" ? { kind: "target", connector, state } : null;
}
function parseTask(rest: string, body: Json | null): ConfigRecord | null {
  const at = rest.lastIndexOf("-");
  const number = rest.slice(at + 1);
  if (at < 1 || !/^\d{1,9}$/.test(number)) return null;
  const given = body && properties(body);
  return given === undefined ? null : { kind: "task", connector: rest.slice(0, at), task: Number(number), properties: given };
}
