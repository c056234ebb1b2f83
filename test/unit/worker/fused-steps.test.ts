import { describe, expect, it } from "vitest";
import fc from "fast-check";
import type { Transform, TransformPlugin } from "#connect/api/plugin";
import type { SinkRecord } from "#connect/api/record";
import { INT32, OPTIONAL_STRING, primitive, STRING, type Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { StructBuilder } from "#connect/api/struct-builder";
import type { ConnectValue } from "#connect/api/value";
import { TransformChain } from "#connect/worker/transform-chain";
import { hoistField } from "#plugins/transforms/hoist-field";
import { insertField } from "#plugins/transforms/insert-field";
import { maskField } from "#plugins/transforms/mask-field";
import { replaceField } from "#plugins/transforms/replace-field";

const inner = new StructBuilder().field("x", INT32).build();
const row = new StructBuilder()
  .field("id", INT32)
  .field("name", OPTIONAL_STRING)
  .field("city", primitive("STRING", { optional: true, default: "Ulm" }))
  .field("deep", inner)
  .build();
const rowOf = (name: string | null, city: string | null): Struct => new Struct(row, [7, name, city, new Struct(inner, [1])]);

function recordOf(schema: Schema | null, value: ConnectValue): SinkRecord {
  return {
    topic: "orders",
    partition: 3,
    keySchema: schema,
    key: value,
    valueSchema: schema,
    value,
    timestamp: 1_700_000_000_000,
    headers: [],
    offset: 41,
    timestampType: "CREATE_TIME",
    originalTopic: "orders",
    originalPartition: 3,
    originalOffset: 41,
  };
}
type Step = readonly [plugin: TransformPlugin, config: Readonly<Record<string, string>>];
const STEPS: readonly Step[] = [
  [hoistField, { field: "line" }],
  [insertField, { "static.field": "src", "static.value": "bench" }],
  [insertField, { "topic.field": "tp!", "partition.field": "part", "timestamp.field": "at" }],
  [insertField, { "offset.field": "off" }],
  [replaceField, { renames: "line:text,name:title", exclude: "id" }],
  [replaceField, { include: "city,src,text", "replace.null.with.default": "false" }],
  [maskField, { fields: "src,city,name" }],
  [maskField, { fields: "title,text", replacement: "***" }],
  [maskField, { fields: "deep" }],
];
const VALUES: readonly (() => readonly [Schema | null, ConnectValue])[] = [
  () => [row, rowOf("Ada", null)],
  () => [row, rowOf(null, "Bonn")],
  () => [row, null],
  () => [STRING, "a line"],
  () => [OPTIONAL_STRING, null],
  () => [null, new Map<ConnectValue, ConnectValue>([["name", "Ada"]])],
  () => [null, "text"],
];
const created = (steps: readonly Step[], key: boolean): { className: string; transform: Transform; when: null }[] =>
  steps.map(([plugin, config]) => {
    const className = plugin.classes.find((name) => name.endsWith(key ? "$Key" : "$Value")) ?? "";
    return { className, transform: plugin.create(config, className), when: null };
  });
/** Without their plans. */
const oneByOne = (steps: readonly { className: string; transform: Transform; when: null }[]) =>
  steps.map((step) => ({ ...step, transform: { apply: <R extends SinkRecord>(record: R) => step.transform.apply(record) } as Transform }));

interface Seen {
  readonly record: SinkRecord | null;
  readonly error: string;
  readonly at: number;
}
function run(chain: TransformChain<SinkRecord>, record: SinkRecord): Seen {
  try {
    return { record: chain.apply(record), error: "", at: 0 };
  } catch (error) {
    return { record: chain.input, error: String(error), at: chain.at };
  }
}
describe("transforms that rearrange structs, joined", () => {
  it("answer what they answer one by one, with the same schema objects, errors and place of the error", () => {
    const chains = fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.boolean()), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(chains, fc.constantFrom(...VALUES), fc.boolean(), (picked, value, owns) => {
        const steps = picked.flatMap(([step, key]) => created([step], key));
        const plain = new TransformChain<SinkRecord>(oneByOne(steps));
        const joined = new TransformChain<SinkRecord>(steps, owns);
        // Twice: the second time plans and schemas are known.
        for (let i = 0; i < 2; i++) {
          const expected = run(plain, recordOf(...value()));
          const seen = run(joined, recordOf(...value()));
          expect(seen).toEqual(expected);
          expect(seen.record?.valueSchema === expected.record?.valueSchema).toBe(true);
          expect(seen.record?.keySchema === expected.record?.keySchema).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });
  it("leave a record that is not theirs as it was", () => {
    const chain = new TransformChain<SinkRecord>(created(STEPS.slice(0, 2), false));
    const record = recordOf(STRING, "a line");
    const made = chain.apply(record);
    expect(record.value).toBe("a line");
    expect(made?.value).toBeInstanceOf(Struct);
  });
  it("make one struct: the field of a value that was masked is never asked of the step before", () => {
    const steps = created(
      [STEPS[0], STEPS[1], STEPS[2]].filter((s) => s !== undefined),
      false,
    );
    let applied = 0;
    const counted = steps.map((step) => ({
      ...step,
      transform: {
        ...step.transform,
        apply: <R extends SinkRecord>(record: R) => {
          applied++;
          return step.transform.apply(record);
        },
      } as Transform,
    }));
    const made = new TransformChain<SinkRecord>(counted).apply(recordOf(STRING, "a line"));
    expect(applied).toBe(0);
    expect(made?.value).toEqual(new TransformChain<SinkRecord>(oneByOne(steps)).apply(recordOf(STRING, "a line"))?.value);
  });
});
