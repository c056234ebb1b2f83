/** Runs one recorded case of a transform or converter and gives its outcome in the recorded form. */
import { ConnectError } from "#connect/api/errors";
import type { HeaderConverter, Converter } from "#connect/api/plugin";
import type { ConnectRecord } from "#connect/api/record";
import { NO_VALUE } from "#connect/api/values";
import { converters, headerConverters, predicates, transforms } from "#plugins/index";
import {
  isArray,
  objectOf,
  recordFrom,
  recordTo,
  schemaFrom,
  schemaTo,
  textOf,
  textOrNull,
  valueFrom,
  valueTo,
  type Json,
} from "./tagged.ts";

class PhaseError extends Error {
  readonly phase: string;
  constructor(phase: string, cause: unknown) {
    super(phase, { cause });
    this.phase = phase;
  }
}
function during<T>(phase: string, run: () => T): T {
  try {
    return run();
  } catch (e) {
    throw new PhaseError(phase, e);
  }
}
function described(error: unknown): { class: string; message: string; cause?: Json } {
  const message = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause !== undefined ? { cause: described(error.cause) } : {};
  return { class: error instanceof ConnectError ? error.javaClass : `java.lang.RuntimeException`, message, ...cause };
}
function errorAnswer(e: unknown): Json {
  if (!(e instanceof PhaseError)) throw e;
  return { error: { phase: e.phase, ...described(e.cause) } };
}
const configOf = (json: Json | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(objectOf(json ?? {})).map(([k, v]) => [k, textOf(v)]));
function byClass<P extends { readonly classes: readonly string[] }>(plugins: readonly P[], name: string): P {
  const found = plugins.find((p) => p.classes.includes(name));
  if (found === undefined) throw new PhaseError("configure", new Error(`no plugin for ${name}`));
  return found;
}

export function runTransformCase(json: Json | undefined): Json {
  const c = objectOf(json);
  const className = textOf(c["class"]);
  const many = isArray(c["inputs"]) ? c["inputs"] : null;
  try {
    const transform = during("configure", () => byClass(transforms, className).create(configOf(c["config"]), className));
    const spec = c["predicate"] === undefined || c["predicate"] === null ? null : objectOf(c["predicate"]);
    const predicate =
      spec === null ? null : during("configure", () => byClass(predicates, textOf(spec["class"])).create(configOf(spec["config"])));
    const negate = spec?.["negate"] === true || spec?.["negate"] === "true";
    const one = (input: Json | undefined): Json => {
      const record: ConnectRecord = recordFrom(input);
      try {
        if (predicate !== null && during("predicate", () => predicate.test(record)) === negate) return recordTo(record);
        const out = during("apply", () => transform.apply(record));
        return out === null ? "dropped" : recordTo(out);
      } catch (e) {
        return errorAnswer(e);
      }
    };
    const answer = many === null ? { output: one(c["input"]) } : { outputs: many.map(one) };
    transform.close?.();
    return answer;
  } catch (e) {
    return many === null ? { output: errorAnswer(e) } : { outputs: errorAnswer(e) };
  }
}
export function runConverterCase(json: Json | undefined): Json {
  const c = objectOf(json);
  const config = configOf(c["config"]);
  const className = textOf(c["class"]);
  try {
    if (c["header"] === true || !converters.some((p) => p.classes.includes(className))) {
      const converter = during("configure", () => byClass(headerConverters, className).create(config));
      return { output: during("convert", () => convertHeader(converter, c)) };
    }
    const converter = during("configure", () => byClass(converters, className).create(config, c["isKey"] === true));
    return { output: during("convert", () => convert(converter, c)) };
  } catch (e) {
    return { output: errorAnswer(e) };
  }
}
const TOPIC = "topic";
const bytesAnswer = (bytes: Uint8Array | null): Json =>
  bytes === null ? { bytes: null } : { bytes: Buffer.from(bytes).toString("base64"), utf8: Buffer.from(bytes).toString("utf8") };
function inputBytes(json: Json | undefined): Buffer | null {
  if (json === null || json === undefined) return null;
  const o = objectOf(json);
  const text = textOrNull(o["bytes"]);
  if (text !== null) return Buffer.from(text, "base64");
  const utf8 = textOrNull(o["utf8"]);
  return utf8 === null ? null : Buffer.from(utf8);
}
function convert(converter: Converter, c: { readonly [key: string]: Json }): Json {
  if (c["direction"] === "toConnect") {
    const { schema, value } = converter.toConnect(TOPIC, inputBytes(c["input"]));
    return { schema: schemaTo(schema), value: valueTo(value, schema) };
  }
  const input = objectOf(c["input"]);
  const schema = schemaFrom(input["schema"]);
  return bytesAnswer(converter.fromConnect(TOPIC, schema, valueFrom(input["value"], schema)));
}
function convertHeader(converter: HeaderConverter, c: { readonly [key: string]: Json }): Json {
  if (c["direction"] === "toConnect") {
    const parsed = converter.toConnectHeader(TOPIC, "header", inputBytes(c["input"]));
    if (parsed === NO_VALUE) return null;
    const { schema, value } = parsed;
    return { schema: schemaTo(schema), value: valueTo(value, schema) };
  }
  const input = objectOf(c["input"]);
  const schema = schemaFrom(input["schema"]);
  return bytesAnswer(converter.fromConnectHeader(TOPIC, "header", schema, valueFrom(input["value"], schema)));
}
