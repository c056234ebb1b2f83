/** What every transform has to keep. The rules stand in connect-runtime/api/plugin.ts. */
import { expect, test } from "vitest";
import { validateConfig } from "#connect/api/config-parse";
import type { RawConfig } from "#connect/api/config";
import { ConnectError } from "#connect/api/errors";
import type { TransformPlugin } from "#connect/api/plugin";
import { isSinkRecord, type SinkRecord, type SourceRecord } from "#connect/api/record";
import { STRING } from "#connect/api/schema";

export interface TransformHarness {
  readonly className: string;
  /** Settings with which it does something to `record`. */
  readonly config: RawConfig;
  readonly record: SourceRecord;
  /** A configuration it must refuse, by its declaration or when it is created. Absent: there is none. */
  readonly wrong?: RawConfig;
}
const sinkSide = (record: SourceRecord): SinkRecord => ({
  topic: record.topic,
  partition: 0,
  keySchema: record.keySchema,
  key: record.key,
  valueSchema: record.valueSchema,
  value: record.value,
  timestamp: record.timestamp,
  headers: record.headers,
  offset: 42,
  timestampType: "CREATE_TIME",
  originalTopic: "original",
  originalPartition: 3,
  originalOffset: 42,
});

export function transformContract(plugin: TransformPlugin, harness: TransformHarness): void {
  const created = (): ReturnType<TransformPlugin["create"]> => plugin.create(harness.config, harness.className);
  test("its settings pass its own declaration, and wrong ones are refused", () => {
    expect(plugin.classes).toContain(harness.className);
    expect(validateConfig(plugin.config, harness.config).flatMap((f) => f.errors)).toEqual([]);
    const { wrong } = harness;
    if (wrong === undefined) return;
    const declared = validateConfig(plugin.config, wrong).flatMap((f) => f.errors);
    if (declared.length === 0) expect(() => plugin.create(wrong, harness.className)).toThrow(ConnectError);
  });
  test("it answers with a new record, or null, and leaves the one it got as it was", () => {
    const { headers, ...fields } = harness.record;
    const before = { ...fields };
    const list = [...headers];
    const transform = created();
    const result = transform.apply(harness.record);
    expect(result === null || typeof result === "object").toBe(true);
    expect({ ...harness.record, headers: undefined }).toEqual({ ...before, headers: undefined });
    expect(harness.record.headers).toEqual(list);
    transform.close?.();
  });
  test("the same record gives the same again, also from another instance", () => {
    const one = created();
    const first = one.apply(harness.record);
    expect(one.apply(harness.record)).toEqual(first);
    expect(created().apply(harness.record)).toEqual(first);
  });
  test("where a record came from stays with it, on both sides", () => {
    const source = created().apply(harness.record);
    if (source !== null) {
      expect(source.sourcePartition).toBe(harness.record.sourcePartition);
      expect(source.sourceOffset).toBe(harness.record.sourceOffset);
    }
    const given = sinkSide(harness.record);
    const sink = created().apply(given);
    if (sink === null) return;
    expect(isSinkRecord(sink)).toBe(true);
    expect([sink.originalTopic, sink.originalPartition, sink.originalOffset, sink.offset]).toEqual(["original", 3, 42, 42]);
  });
  test("a tombstone is taken, or refused with an error that says what it is about", () => {
    const tombstone = { ...harness.record, valueSchema: STRING, value: null };
    try {
      expect(created().apply(tombstone)?.topic ?? tombstone.topic).toEqual(expect.any(String));
    } catch (error) {
      expect(error).toBeInstanceOf(ConnectError);
    }
  });
}
