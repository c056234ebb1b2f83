/** `POST /transforms/try`: records of one's own, as JSON, through a chain of transforms, shown after each step. */
import type { ConnectRecord } from "../api/record.ts";
import type { SourceRecord } from "../api/record.ts";
import { catalog } from "../catalog/catalog.ts";
import { messageOf } from "../worker/trace.ts";
import { createSteps } from "../worker/transform-chain.ts";
import { missingClass } from "../worker/converters.ts";
import type { ShownStep, TransformsJob, TriedAnswer, TriedRecord } from "./preview.ts";
import { shownValue } from "./shown-record.ts";

const JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter";

export async function triedRecords(job: TransformsJob): Promise<TriedAnswer> {
  const steps = await createSteps(catalog, job.config);
  const read = await reader();
  return {
    records: job.records.map((given) => {
      const shown: ShownStep[] = [];
      let record: SourceRecord | null;
      try {
        record = read(given);
      } catch (error) {
        return { steps: [], result: null, dropped: false, error: messageOf(error) };
      }
      for (const step of steps) {
        if (record === null) break;
        try {
          if (step.when !== null && !step.when(record)) continue;
          record = step.transform.apply(record);
          shown.push({ type: step.className, record: record === null ? null : shownRecord(record) });
        } catch (error) {
          shown.push({ type: step.className, error: messageOf(error) });
          return { steps: shown, result: null, dropped: false, error: `${step.className}: ${messageOf(error)}` };
        }
      }
      return { steps: shown, result: record === null ? null : shownRecord(record), dropped: record === null, error: null };
    }),
  };
}
const shownRecord = (r: ConnectRecord): unknown => ({
  topic: r.topic,
  partition: r.partition,
  key: shownValue(r.key),
  value: shownValue(r.value),
  timestamp: r.timestamp,
  headers: r.headers.map((h) => ({ key: h.key, value: shownValue(h.value) })),
});
/** `{schema, payload}` as the JSON converter writes it; everything else without a schema. */
async function reader(): Promise<(given: TriedRecord) => SourceRecord> {
  const plugin = await catalog.converter(JSON_CONVERTER);
  if (plugin === null) throw missingClass("Converter", JSON_CONVERTER);
  const withSchemas = { key: plugin.create({ "schemas.enable": "true" }, true), value: plugin.create({ "schemas.enable": "true" }, false) };
  const plain = { key: plugin.create({ "schemas.enable": "false" }, true), value: plugin.create({ "schemas.enable": "false" }, false) };
  const read = (side: "key" | "value", topic: string, given: unknown): ReturnType<typeof plain.key.toConnect> => {
    if (given === null || given === undefined) return { schema: null, value: null };
    const bytes = Buffer.from(JSON.stringify(given, (_k, v: unknown) => (typeof v === "bigint" ? rawJson(v.toString()) : v)));
    const enveloped = typeof given === "object" && "schema" in given && "payload" in given;
    return (enveloped ? withSchemas : plain)[side].toConnect(topic, bytes);
  };
  return (given) => {
    const key = read("key", given.topic, given.key);
    const value = read("value", given.topic, given.value);
    return {
      topic: given.topic,
      partition: given.partition ?? null,
      keySchema: key.schema,
      key: key.value,
      valueSchema: value.schema,
      value: value.value,
      timestamp: given.timestamp ?? null,
      headers: Object.entries(given.headers ?? {}).map(([name, v]) => ({ key: name, schema: null, value: v })),
      sourcePartition: {},
      sourceOffset: {},
    };
  };
}
/** A newer member of JSON than the type library knows. */
const rawJson: (text: string) => unknown = Reflect.get(JSON, "rawJSON");
