import { writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SourceRecord } from "#connect/api/record";
import { DECIMAL, INT32, INT64, primitive, STRING, structOf } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { Decimal } from "#connect/api/value";
import { script } from "#plugins/transforms/script";
import { transformContract } from "../../contract/transform-contract.ts";

const AMOUNT = primitive("BYTES", { name: DECIMAL, parameters: { scale: "2" } });
const ROW = structOf([
  ["id", INT64],
  ["name", STRING],
  ["age", INT32],
  ["amount", AMOUNT],
]);
function row(): Struct {
  const struct = new Struct(ROW);
  struct.put("id", 9_007_199_254_740_993n);
  struct.put("name", "ann");
  struct.put("age", 5);
  struct.put("amount", new Decimal(12_345n, 2));
  return struct;
}
const record = (value: SourceRecord["value"] = row(), valueSchema: SourceRecord["valueSchema"] = ROW): SourceRecord => ({
  topic: "t",
  partition: null,
  keySchema: null,
  key: "k",
  valueSchema,
  value,
  timestamp: 1,
  headers: [{ key: "h", schema: STRING, value: "x" }],
  sourcePartition: { p: 1 },
  sourceOffset: { o: 1 },
});
const run = (source: string, given: SourceRecord = record(), more: Record<string, string> = {}): SourceRecord | null =>
  script.create({ "script.source": source, ...more }, "io.millrace.transforms.Script").apply(given);

describe("a script in TypeScript", () => {
  transformContract(script, {
    className: "io.millrace.transforms.Script",
    config: { "script.source": "export default (r) => ({ ...r, topic: r.topic + '-x' });" },
    record: record(),
    wrong: { "script.source": "export default (" },
  });
  test("changes what it changes, and everything else stays the very value that it was", () => {
    const given = record();
    const out = run(
      `interface Row { name: string; age: number }
       export default function transform(r: { topic: string; value: Row; headers: Record<string, unknown> }) {
         r.value.name = r.value.name.toUpperCase();
         r.value.age += 1;
         return { ...r, topic: "u", headers: { ...r.headers, by: "script" } };
       }`,
      given,
    );
    const value = out?.value as Struct;
    expect([out?.topic, value.get("name"), value.get("age"), value.get("id")]).toEqual(["u", "ANN", 6, 9_007_199_254_740_993n]);
    expect(value.get("amount")).toBe((given.value as Struct).get("amount"));
    expect(out?.valueSchema).toBe(ROW);
    expect(out?.headers.map((h) => [h.key, h.value])).toEqual([
      ["h", "x"],
      ["by", "script"],
    ]);
  });
  test("adds and removes fields, with one schema for all records; drops by null", () => {
    const transform = script.create(
      { "script.source": "function transform(r) { const { age, ...v } = r.value; return { ...r, value: { ...v, adult: age > 17 } }; }" },
      "script",
    );
    const [one, two] = [transform.apply(record()), transform.apply(record())];
    expect(one?.valueSchema?.fields.map((f) => `${f.name} ${f.schema.type}`)).toEqual([
      "id INT64",
      "name STRING",
      "amount BYTES",
      "adult BOOLEAN",
    ]);
    expect(two?.valueSchema).toBe(one?.valueSchema);
    expect(run("export default () => null")).toBeNull();
    expect(run("export default (r) => ({ ...r, value: { n: 1, l: [r.value] } })", record("s", null))?.value).toEqual(
      new Map<string, unknown>([
        ["n", 1n],
        ["l", ["s"]],
      ]),
    );
  });
  test("has a time limit, and nothing of the host", () => {
    expect(() => run("export default () => { for (;;); }", record(), { "script.timeout.ms": "30" })).toThrow(/timed out after 30ms/);
    for (const name of ["process", "require", "fetch", "setTimeout", "console"])
      expect(run(`export default (r) => ({ ...r, topic: typeof ${name} })`)?.topic).toBe("undefined");
    expect(() => run("export default (r) => r.constructor.constructor('return process')()")).toThrow(/Code generation from strings/);
    expect(() => run("import fs from 'node:fs'; export default (r) => r")).toThrow("import is not available");
  });
  test("answers that do not fit are data errors that name the place", () => {
    expect(() => run("export default (r) => { r.value.age = 'old'; return r; }")).toThrow(
      'The script answered "old" for value.age, which is INT32',
    );
    expect(() => run("export default () => 5")).toThrow("must answer a record");
    expect(() => run("export default (r) => { throw new Error('no'); }")).toThrow("The script failed for a record of topic t: no");
  });
  test("files have to lie where connectors may go", () => {
    const file = join(mkdtempSync(join(tmpdir(), "script-")), "s.ts");
    writeFileSync(file, "export default (r: { topic: string }) => ({ ...r, topic: 'from-file' });");
    expect(script.create({ "script.file": file }, "script").apply(record())?.topic).toBe("from-file");
    expect(() => script.create({ "script.file": "/etc/hostname" }, "script")).toThrow("lies outside of the folders");
    expect(() => script.create({}, "script")).toThrow("script.file or script.source");
  });
});
