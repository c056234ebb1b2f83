/**
 * Our codecs against bytes that Apache Kafka 4.1.0's own message classes wrote: one random body for each API, version and
 * direction (read by Kafka from JSON, written by Kafka). Byte fields stand as {"$b": base64}.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { apis } from "#broker/protocol/apis";
import { compileDecoder, compileEncoder } from "#broker/protocol/compile";
import { interpretDecoder, interpretEncoder } from "#broker/protocol/interpret";
import { Reader } from "#broker/protocol/reader";
import { Writer } from "#broker/protocol/writer";

interface Case {
  readonly api: string;
  readonly version: number;
  readonly direction: "request" | "response";
  readonly body: unknown;
  readonly hex: string;
}
const cases: Case[] = gunzipSync(readFileSync(join(import.meta.dirname, "kafka-4.1.0-messages.jsonl.gz")))
  .toString("utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

const revive = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== "object" || value === null) return value;
  const bytes: unknown = Reflect.get(value, "$b");
  if (typeof bytes === "string") return Buffer.from(bytes, "base64");
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
};

test("the fixture covers every API and version that we declare", () => {
  const there = new Set(cases.map((c) => `${c.api} ${c.version} ${c.direction}`));
  const wanted = apis.flatMap((a) =>
    Array.from({ length: a.versions[1] - a.versions[0] + 1 }, (_, i) => a.versions[0] + i).flatMap((v) => [
      `${a.name} ${v} request`,
      `${a.name} ${v} response`,
    ]),
  );
  expect(wanted.filter((w) => !there.has(w))).toEqual([]);
  expect(cases.length).toBe(wanted.length);
});

describe.each([
  ["compiled", compileEncoder, compileDecoder],
  ["interpreted", interpretEncoder, interpretDecoder],
] as const)("%s", (_name, encoder, decoder) => {
  test.each(apis.map((a) => [a.name, a] as const))("%s", (name, api) => {
    const mine = cases.filter((c) => c.api === name);
    expect(mine.length).toBeGreaterThan(0);
    for (const c of mine) {
      const layout = { version: c.version, flexible: api.flexible !== null && c.version >= api.flexible };
      const shape = api[c.direction];
      const at = `${name} v${c.version} ${c.direction}`;
      const writer = new Writer();
      encoder(shape, layout, name)(writer, revive(c.body));
      expect(writer.concat().toString("hex"), at).toBe(c.hex);
      const reader = new Reader(Buffer.from(c.hex, "hex"));
      const decoded = decoder(shape, layout, name)(reader);
      expect(reader.remaining, at).toBe(0);
      expect(decoded, at).toMatchObject(Object(revive(c.body)));
    }
  });
});
