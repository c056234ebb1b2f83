/**
 * Metadata and assignments of the worker group, byte for byte as the JVM writes them: ConnectProtocol version 0 (`default`,
 * eager) and IncrementalCooperativeConnectProtocol versions 1 (`compatible`) and 2 (`sessioned`) (KIP-415, KIP-507).
 */
import type { TaskId } from "../worker/types.ts";
import { ConnectError } from "../api/errors.ts";

export type ProtocolName = "default" | "compatible" | "sessioned";
export const PROTOCOL_VERSION: Readonly<Record<ProtocolName, number>> = { default: 0, compatible: 1, sessioned: 2 };
export const isProtocolName = (name: string): name is ProtocolName => name in PROTOCOL_VERSION;

export interface Work {
  readonly connectors: readonly string[];
  readonly tasks: readonly TaskId[];
}
export const NO_WORK: Work = { connectors: [], tasks: [] };
export const NO_ERROR = 0;
/** The leader could not read the config topic as far as some member has. */
export const CONFIG_MISMATCH = 1;

export interface Assignment extends Work {
  readonly version: number;
  readonly error: number;
  readonly leader: string | null;
  readonly leaderUrl: string | null;
  readonly configOffset: number;
  readonly revoked: Work;
  /** Milliseconds until the group should rebalance again; 0: no need. */
  readonly delayMs: number;
}
export interface WorkerMetadata {
  readonly version: number;
  readonly url: string;
  readonly configOffset: number;
  /** What the member runs already; null in version 0 or when it runs nothing. */
  readonly assignment: Assignment | null;
}
/** Stands for the connector itself among its task numbers. */
const CONNECTOR_TASK = -1;

export function encodeMetadata(metadata: WorkerMetadata): Buffer {
  const parts = [int16(metadata.version), text(metadata.url), int64(metadata.configOffset)];
  if (metadata.version > 0) parts.push(bytes(metadata.assignment === null ? null : encodeAssignment(metadata.assignment)));
  return Buffer.concat(parts);
}
/** Throws ConnectError for bytes that are no metadata. */
export function decodeMetadata(data: Uint8Array): WorkerMetadata {
  const reader = new Reader(data);
  const version = reader.int16();
  const url = reader.text() ?? "";
  const configOffset = reader.int64();
  const nested = version > 0 ? reader.bytes() : null;
  return { version, url, configOffset, assignment: nested === null || nested.length === 0 ? null : decodeAssignment(nested) };
}
export function encodeAssignment(a: Assignment): Buffer {
  const head = [int16(a.version), int16(a.error)];
  if (a.version === 0) return Buffer.concat([...head, text(a.leader ?? ""), text(a.leaderUrl ?? ""), int64(a.configOffset), work(a)]);
  return Buffer.concat([...head, text(a.leader), text(a.leaderUrl), int64(a.configOffset), work(a), work(a.revoked), int32(a.delayMs)]);
}
/** Throws ConnectError for bytes that are no assignment. */
export function decodeAssignment(data: Uint8Array): Assignment {
  const reader = new Reader(data);
  const version = reader.int16();
  const error = reader.int16();
  const leader = reader.text();
  const leaderUrl = reader.text();
  const configOffset = reader.int64();
  const assigned = reader.work();
  const revoked = version > 0 ? reader.work() : NO_WORK;
  const delayMs = version > 0 && reader.left >= 4 ? reader.int32() : 0;
  return { version, error, leader, leaderUrl, configOffset, ...assigned, revoked, delayMs };
}

function int16(n: number): Buffer {
  const b = Buffer.allocUnsafe(2);
  b.writeInt16BE(n);
  return b;
}
function int32(n: number): Buffer {
  const b = Buffer.allocUnsafe(4);
  b.writeInt32BE(n);
  return b;
}
function int64(n: number): Buffer {
  const b = Buffer.allocUnsafe(8);
  b.writeBigInt64BE(BigInt(n));
  return b;
}
function text(s: string | null): Buffer {
  if (s === null) return int16(-1);
  const encoded = Buffer.from(s);
  return Buffer.concat([int16(encoded.length), encoded]);
}
function bytes(b: Buffer | null): Buffer {
  return b === null ? int32(-1) : Buffer.concat([int32(b.length), b]);
}
/** Connector → numbers, a connector's own entry first. */
function work(w: Work): Buffer {
  const byConnector = new Map<string, number[]>();
  for (const connector of w.connectors) byConnector.set(connector, [CONNECTOR_TASK]);
  for (const { connector, task } of w.tasks) {
    const numbers = byConnector.get(connector);
    if (numbers === undefined) byConnector.set(connector, [task]);
    else numbers.push(task);
  }
  const parts = [int32(byConnector.size)];
  for (const [connector, numbers] of byConnector) parts.push(text(connector), int32(numbers.length), ...numbers.map(int32));
  return Buffer.concat(parts);
}

class Reader {
  readonly #data: Buffer;
  #at = 0;
  constructor(data: Uint8Array) {
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }
  get left(): number {
    return this.#data.length - this.#at;
  }
  #take(count: number): number {
    if (count < 0 || count > this.left) throw new ConnectError("Malformed metadata or assignment in the worker group");
    const at = this.#at;
    this.#at += count;
    return at;
  }
  int16(): number {
    return this.#data.readInt16BE(this.#take(2));
  }
  int32(): number {
    return this.#data.readInt32BE(this.#take(4));
  }
  int64(): number {
    return Number(this.#data.readBigInt64BE(this.#take(8)));
  }
  text(): string | null {
    const length = this.int16();
    if (length < 0) return null;
    const at = this.#take(length);
    return this.#data.toString("utf8", at, at + length);
  }
  bytes(): Buffer | null {
    const length = this.int32();
    if (length < 0) return null;
    const at = this.#take(length);
    return this.#data.subarray(at, at + length);
  }
  work(): Work {
    const connectors: string[] = [];
    const tasks: TaskId[] = [];
    const count = this.int32();
    for (let i = 0; i < count; i++) {
      const connector = this.text() ?? "";
      const numbers = this.int32();
      for (let j = 0; j < numbers; j++) {
        const task = this.int32();
        if (task === CONNECTOR_TASK) connectors.push(connector);
        else tasks.push({ connector, task });
      }
    }
    return { connectors, tasks };
  }
}
