/**
 * A transform in one file of TypeScript or JavaScript, for people who may edit connectors and not the host: it runs in a V8 context of
 * its own without process, modules, timers or network; records go in and out as JSON text; every call has a time limit, and the heap is
 * that of the task's thread, which a connector with a script does not share.
 */
import { readFileSync, realpathSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { sep } from "node:path";
import vm from "node:vm";
import { type ConfigDef, type RawConfig } from "#connect/api/config";
import { inRange } from "#connect/api/config-checks";
import { numberSetting, optionalString, parseConfig } from "#connect/api/config-parse";
import { fileRoots } from "#connect/api/confinement";
import { ConfigError, DataError } from "#connect/api/errors";
import type { Transform, TransformPlugin } from "#connect/api/plugin";
import type { ConnectRecord, Header } from "#connect/api/record";
import { LONG, type Plain, plainValue } from "./scripting.ts";
import { ScriptValues } from "./script-values.ts";

const SOURCE_MAX = 256 * 1024;
const ANSWER_MAX = 16 * 1024 * 1024;
const LOAD_MS = 1_000;

const config: ConfigDef = [
  { name: "script.file", type: "STRING", default: null, importance: "HIGH", doc: "The script's file, inside file.connector.roots." },
  { name: "script.source", type: "STRING", default: null, importance: "HIGH", doc: "The script itself, instead of a file." },
  {
    name: "script.timeout.ms",
    type: "INT",
    default: 100,
    importance: "LOW",
    doc: "How long one record may take.",
    check: inRange(1, 60_000),
  },
];
/** Runs inside the context, once: no object of ours ever gets in there. */
const CALL = `"use strict";
(() => {
  const { parse, stringify } = JSON;
  const long = "${LONG}";
  const read = (_, v) => (typeof v === "object" && v !== null && typeof v[long] === "string" ? BigInt(v[long]) : v);
  const write = (_, v) => (typeof v === "bigint" ? { [long]: String(v) } : v);
  const run = globalThis.__transform ?? (typeof transform === "function" ? transform : undefined);
  if (typeof run !== "function") throw new Error("there is no function transform(record) and no export default");
  globalThis.__call = (text) => stringify(run(parse(text, read)) ?? null, write);
})();`;

function textOf(file: string | null, source: string | null): string {
  if ((file === null) === (source === null)) throw new ConfigError("A script needs script.file or script.source, and not both");
  if (source !== null) return source;
  const path = realpathOf(file ?? "");
  const roots = fileRoots(process.env).map(realpathOf);
  if (!roots.some((root) => path === root || path.startsWith(root.endsWith(sep) ? root : root + sep))) {
    throw new ConfigError(`File ${file ?? ""} lies outside of the folders that connectors may use; file.connector.roots names them`);
  }
  return readFileSync(path, "utf8");
}
function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new ConfigError(`The script ${path} cannot be read`, cause);
  }
}
/** Types taken away, `export` turned into what a plain script has. Throws ConfigError. */
function compiled(text: string): vm.Script[] {
  if (text.length > SOURCE_MAX) throw new ConfigError(`A script may have ${SOURCE_MAX} characters, this one has ${text.length}`);
  if (/^\s*import\s/m.test(text)) throw new ConfigError("A script is one file: import is not available in it");
  try {
    const plain = stripTypeScriptTypes(text)
      .replace(/^\s*export\s+default\s+/m, "globalThis.__transform = ")
      .replaceAll(/^\s*export\s+(?=(?:async\s+)?(?:function|const|let|class)\b)/gm, "");
    return [new vm.Script(plain, { filename: "script" }), new vm.Script(CALL, { filename: "call" })];
  } catch (cause) {
    throw new ConfigError(`The script cannot be read: ${messageOf(cause)}`, cause);
  }
}
/** An error may be an object of the other context: only its text is taken. */
const messageOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error);

function headersOf(before: readonly Header[], after: Plain | undefined, values: ScriptValues): readonly Header[] {
  if (after === undefined || after === null || typeof after !== "object" || Array.isArray(after)) return before;
  return Object.entries(after as Readonly<Record<string, Plain>>).map(([key, value]) => {
    const was = before.findLast((h) => h.key === key);
    return { key, ...values.restored(was ?? { schema: null, value: null }, value, `header ${key}`) };
  });
}
class Script implements Transform {
  readonly #context: vm.Context;
  readonly #timeoutMs: number;
  readonly #values = new ScriptValues();
  readonly #call = new vm.Script("__call(__input)");

  constructor(raw: RawConfig) {
    const parsed = parseConfig(config, raw);
    this.#timeoutMs = numberSetting(parsed, "script.timeout.ms");
    const scripts = compiled(textOf(optionalString(parsed, "script.file"), optionalString(parsed, "script.source")));
    this.#context = vm.createContext(Object.create(null) as Record<string, unknown>, {
      codeGeneration: { strings: false, wasm: false },
      microtaskMode: "afterEvaluate",
    });
    vm.runInContext("delete globalThis.console", this.#context);
    try {
      for (const script of scripts) script.runInContext(this.#context, { timeout: LOAD_MS });
    } catch (error) {
      throw new ConfigError(`The script failed while it was loaded: ${messageOf(error)}`);
    }
  }
  apply<R extends ConnectRecord>(record: R): R | null {
    const given = {
      topic: record.topic,
      partition: record.partition,
      timestamp: record.timestamp,
      key: plainValue(record.key),
      value: plainValue(record.value),
      headers: Object.fromEntries(record.headers.map((h) => [h.key, plainValue(h.value)])),
    };
    const after = this.#run(JSON.stringify(given), record.topic);
    if (after === null) return null;
    const key = this.#values.restored({ schema: record.keySchema, value: record.key }, after["key"] ?? null, "key");
    const value = this.#values.restored({ schema: record.valueSchema, value: record.value }, after["value"] ?? null, "value");
    const { topic, partition, timestamp, headers } = after;
    const changedHeaders = JSON.stringify(headers) !== JSON.stringify(given.headers);
    return {
      ...record,
      topic: typeof topic === "string" && topic !== "" ? topic : record.topic,
      partition: typeof partition === "number" || partition === null ? partition : record.partition,
      timestamp: typeof timestamp === "number" || timestamp === null ? timestamp : record.timestamp,
      keySchema: key.schema,
      key: key.value,
      valueSchema: value.schema,
      value: value.value,
      headers: changedHeaders ? headersOf(record.headers, headers, this.#values) : record.headers,
    };
  }
  #run(input: string, topic: string): Readonly<Record<string, Plain>> | null {
    let text: unknown;
    try {
      this.#context["__input"] = input;
      text = this.#call.runInContext(this.#context, { timeout: this.#timeoutMs });
    } catch (error) {
      throw new DataError(`The script failed for a record of topic ${topic}: ${messageOf(error)}`);
    }
    if (typeof text !== "string" || text.length > ANSWER_MAX)
      throw new DataError(`The script's answer for topic ${topic} is no record, or too large`);
    const answer: unknown = JSON.parse(text);
    if (answer === null) return null;
    if (typeof answer !== "object" || Array.isArray(answer)) throw new DataError("The script must answer a record, or null to drop it");
    return answer as Readonly<Record<string, Plain>>;
  }
}
export const script: TransformPlugin = {
  kind: "transform",
  name: "script",
  classes: ["io.millrace.transforms.Script"],
  version: "1.0.0",
  config,
  create: (raw) => new Script(raw),
};
