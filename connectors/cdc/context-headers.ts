/** Headers of data change events (`extended.headers.enabled`): which connector, task and run wrote them. */
import { randomBytes } from "node:crypto";
import type { Header } from "#connect/api/record";
import { STRING } from "#connect/api/schema";

/** UUID version 7 (RFC 9562): 48 bits of time, then random. */
export function uuidV7(nowMs: number, random: Uint8Array = randomBytes(10)): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const text = (key: string, value: string): Header => ({ key, schema: STRING, value });

export const contextHeaders = (prefix: string, taskId: number, connector: string, runId: string): readonly Header[] => [
  text("__debezium.context.connectorLogicalName", prefix),
  text("__debezium.context.taskId", String(taskId)),
  text("__debezium.context.connectorName", connector),
  text("__debezium.context.runId", runId),
];
