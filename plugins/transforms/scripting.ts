/**
 * Conditions in JavaScript, run in a V8 context of their own: no host object ever enters it (records go in as JSON text),
 * code generation from strings is off, and every evaluation has a time limit. Simple Groovy conditions such as
 * `value.op == 'u' && value.before.id == 2` are JavaScript as well.
 */
import vm from "node:vm";
import type { ConfigDef, RawConfig } from "#connect/api/config";
import { javaRegex, type ConfigCheck } from "#connect/api/config-checks";
import { optionalString, parseConfig, stringSetting } from "#connect/api/config-parse";
import { ConfigError, ConnectError } from "#connect/api/errors";
import { isList, isMap, javaToString } from "#connect/api/java-text";
import { JavaRegex } from "#connect/api/java-regex";
import type { ConnectRecord } from "#connect/api/record";
import type { Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { Boxed, Decimal, type ConnectValue } from "#connect/api/value";
import { debeziumEnum, debeziumError, debeziumRequired } from "./debezium.ts";

const TIMEOUT_MS = 1000;
export const LONG = "$long";
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

export function plainValue(value: ConnectValue): Plain {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return plainLong(value);
  if (value instanceof Boxed) return typeof value.value === "bigint" ? plainLong(value.value) : value.value;
  if (value instanceof Decimal) return Number(value.toString());
  if (value instanceof Date) return value.getTime();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Struct) return Object.fromEntries(value.schema.fields.map((f) => [f.name, plainValue(value.get(f.name))]));
  if (isMap(value)) return Object.fromEntries(Array.from(value, ([k, v]) => [javaToString(k), plainValue(v)]));
  return isList(value) ? value.map(plainValue) : null;
}
const plainLong = (v: bigint): Plain => (Number.isSafeInteger(Number(v)) ? Number(v) : { [LONG]: String(v) });
const plainSchema = (s: Schema | null): Plain =>
  s === null
    ? null
    : { type: s.type, name: s.name, version: s.version, doc: s.doc, optional: s.optional, fields: s.fields.map((f) => f.name) };

/** Runs inside the context, once: how the JSON text becomes the variables that expressions see. */
const PREPARE = `"use strict";
(() => {
  const parse = JSON.parse;
  const reader = { get(name) { return this[name] ?? null; }, getString(name) { return this[name] ?? null; }, getStruct(name) { return this[name] ?? null; } };
  const schema = (s) => s === null ? null : ({ type: () => s.type, name: () => s.name, version: () => s.version, doc: () => s.doc, isOptional: () => s.optional, field: (n) => s.fields.includes(n) ? { name: () => n } : null });
  const revive = (_, v) => {
    if (typeof v !== "object" || v === null || Array.isArray(v)) return v;
    if (typeof v["${LONG}"] === "string") return BigInt(v["${LONG}"]);
    return Object.assign(Object.create(reader), v);
  };
  globalThis.__prepare = (text) => {
    const r = parse(text, revive);
    globalThis.topic = r.topic;
    globalThis.key = r.key;
    globalThis.value = r.value;
    globalThis.keySchema = schema(r.keySchema);
    globalThis.valueSchema = schema(r.valueSchema);
    globalThis.header = r.header;
    globalThis.headers = r.header;
  };
})();`;
const BIND = new vm.Script("__prepare(__input)");

/** Evaluates one expression for many records. */
export class Expression {
  readonly #text: string;
  readonly #context: vm.Context;
  readonly #script: vm.Script;
  /** Throws ConnectError when the text is no JavaScript. */
  constructor(text: string) {
    this.#text = text;
    this.#context = vm.createContext(Object.create(null) as Record<string, unknown>, {
      codeGeneration: { strings: false, wasm: false },
      microtaskMode: "afterEvaluate",
    });
    try {
      this.#script = new vm.Script(text, { filename: "expression" });
    } catch (e) {
      throw debeziumError(`Failed to parse expression '${text}'`, e);
    }
    vm.runInContext(PREPARE, this.#context);
  }
  /** A primitive, or undefined for anything else. */
  evaluate(record: ConnectRecord): boolean | string | number | null | undefined {
    const input = JSON.stringify({
      topic: record.topic,
      key: plainValue(record.key),
      value: plainValue(record.value),
      keySchema: plainSchema(record.keySchema),
      valueSchema: plainSchema(record.valueSchema),
      header: Object.fromEntries(record.headers.map((h) => [h.key, { value: plainValue(h.value), schema: plainSchema(h.schema) }])),
    });
    let result: unknown;
    try {
      this.#context["__input"] = input;
      BIND.runInContext(this.#context, { timeout: TIMEOUT_MS });
      result = this.#script.runInContext(this.#context, { timeout: TIMEOUT_MS });
    } catch (e) {
      // The error is an object of the other context: only its text is taken.
      const reason = typeof e === "object" && e !== null && "message" in e ? String(e.message) : "unknown";
      const cause = new ConnectError(reason, { causeClass: "data" });
      throw debeziumError(`Error while evaluating expression '${this.#text}' for record '${record.topic}'`, cause);
    }
    if (result === null || typeof result === "boolean" || typeof result === "string" || typeof result === "number") return result;
    return undefined;
  }
}

const optionalRegex: ConfigCheck = (value, raw) => (value === null || value === "" ? null : javaRegex(value, raw));
export const scriptingConfig = (expression: string, doc: string): ConfigDef => [
  {
    name: "topic.regex",
    type: "STRING",
    default: null,
    importance: "LOW",
    doc: "Only topics that match are looked at.",
    check: optionalRegex,
  },
  {
    name: "language",
    type: "STRING",
    default: null,
    importance: "HIGH",
    doc: "jsr223.graal.js, or jsr223.groovy for conditions that are JavaScript, too.",
    check: debeziumRequired("language"),
  },
  { name: expression, type: "STRING", default: null, importance: "HIGH", doc, check: debeziumRequired(expression) },
  {
    name: "null.handling.mode",
    type: "STRING",
    default: "keep",
    importance: "LOW",
    doc: "Records without a value: keep, drop or evaluate.",
    check: debeziumEnum("null.handling.mode", "drop", "keep", "evaluate"),
  },
];
const LANGUAGES: ReadonlySet<string> = new Set(["jsr223.graal.js", "jsr223.js", "jsr223.javascript", "jsr223.nashorn", "jsr223.groovy"]);

/** `decide` gets the record and the expression's result. */
export function scripted(
  raw: RawConfig,
  def: ConfigDef,
  expressionKey: string,
  decide: <R extends ConnectRecord>(record: R, result: ReturnType<Expression["evaluate"]>) => R | null,
): { apply<R extends ConnectRecord>(record: R): R | null } {
  let config: ReturnType<typeof parseConfig>;
  try {
    config = parseConfig(def, raw);
  } catch (e) {
    if (e instanceof ConfigError) throw debeziumError("The provided configuration isn't valid; check the error log for details.", e);
    throw e;
  }
  const language = stringSetting(config, "language");
  if (!language.startsWith("jsr223.") && !language.startsWith("wasm."))
    throw debeziumError("Value for option 'language' must begin with 'jsr223.' or 'wasm', e.g. 'jsr223.groovy'");
  if (!LANGUAGES.has(language)) throw debeziumError(`The language '${language}' is not available here: use jsr223.graal.js`);
  const expression = new Expression(stringSetting(config, expressionKey));
  const nulls = stringSetting(config, "null.handling.mode").toLowerCase();
  const pattern = optionalString(config, "topic.regex");
  const topics = pattern === null || pattern === "" ? null : new JavaRegex(pattern);
  return {
    apply(record) {
      if (topics !== null && !topics.matches(record.topic)) return record;
      if (record.value === null && nulls !== "evaluate") return nulls === "keep" ? record : null;
      return decide(record, expression.evaluate(record));
    },
  };
}
export const wrongResult = (type: string): ConnectError => debeziumError(`The value returned by the expression is not a ${type}`);
