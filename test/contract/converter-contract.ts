/** What every converter has to keep. The rules stand in connect-runtime/api/plugin.ts. */
import { expect, test } from "vitest";
import { byteSink } from "#connect/api/byte-sink";
import type { RawConfig } from "#connect/api/config";
import { ConnectError } from "#connect/api/errors";
import type { Converter, ConverterPlugin, SchemaAndValue } from "#connect/api/plugin";

export interface ConverterHarness {
  readonly config: RawConfig;
  /** What it can carry. */
  readonly values: readonly SchemaAndValue[];
  /** Bytes that are none of its own. Absent: it reads any, and there is something foreign. */
  readonly damaged?: Uint8Array;
  /** A value that it cannot carry. Absent: there is none. */
  readonly foreign?: SchemaAndValue;
}
export function converterContract(plugin: ConverterPlugin, harness: ConverterHarness): void {
  const created = (isKey = false): Converter => plugin.create({ ...harness.config, "converter.type": isKey ? "key" : "value" }, isKey);
  test("what it writes it reads, as key and as value", () => {
    expect(harness.values.length).toBeGreaterThan(0);
    for (const isKey of [true, false]) {
      const converter = created(isKey);
      for (const { schema, value } of harness.values) {
        const bytes = converter.fromConnect("t", schema, value);
        expect(bytes).not.toBeNull();
        expect(converter.toConnect("t", bytes).value).toEqual(value);
      }
    }
  });
  test("null is a tombstone there and back", () => {
    const converter = created();
    expect(converter.fromConnect("t", null, null)).toBeNull();
    expect(converter.toConnect("t", null).value).toBeNull();
  });
  test("its fast path appends the same bytes", () => {
    const converter = created();
    if (converter.write === undefined) return expect(Object.keys(converter)).not.toContain("write");
    const out = byteSink();
    for (const { schema, value } of harness.values) {
      const start = out.length;
      const length = converter.write("t", schema, value, out);
      expect(Buffer.from(out.bytes.subarray(start, start + length))).toEqual(Buffer.from(converter.fromConnect("t", schema, value) ?? []));
    }
  });
  test("what it cannot read or carry it refuses with an error that says so", () => {
    const { damaged, foreign } = harness;
    if (damaged !== undefined) expect(() => created().toConnect("t", damaged)).toThrow(ConnectError);
    if (foreign !== undefined) expect(() => created().fromConnect("t", foreign.schema, foreign.value)).toThrow(ConnectError);
    expect(damaged ?? foreign, "a harness names at least one of the two").toBeDefined();
  });
}
