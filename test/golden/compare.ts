/**
 * Compares an outcome with the recorded one: map entries in any order, floats by value, JSON output as parsed JSON,
 * placeholders in texts, and of errors of Java's own classes only that there is one. Null: equal; else the first difference.
 */
import { JsonFloat, JsonParser, type JsonNode } from "#plugins/converters/json/parse";
import { isArray, objectOf, textOrNull, type Json } from "./tagged.ts";

const JAVA_CLASS = /^(java\.|com\.fasterxml\.)/;
/** Texts of the Java runtime and its JSON parser: only their presence counts. */
const RUNTIME_TEXT =
  /^(Cannot invoke "|Cannot read |Unexpected character \(|Unexpected end-of-input|Unrecognized token |Unrecognized field "|com\.fasterxml\.|java\.\w|(class )?[\w.$]+ cannot be cast to )/;
const TOKEN = /<any:string>|<any:int>|<startsWith:(.*?)>$|<contains:(.*?)>$/gs;

const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
function pattern(text: string): RegExp {
  let source = "",
    from = 0;
  for (const m of text.matchAll(TOKEN)) {
    source += quoted(text.slice(from, m.index));
    if (m[0] === "<any:int>") source += "-?\\d+";
    else if (m[0] === "<any:string>") source += "[^]*";
    else source += m[1] === undefined ? `[^]*${quoted(m[2] ?? "")}[^]*` : `${quoted(m[1])}[^]*`;
    from = m.index + m[0].length;
  }
  return new RegExp(`^${source}${quoted(text.slice(from))}$`);
}
export function sameText(expected: string, actual: string): boolean {
  return RUNTIME_TEXT.test(expected) ? actual !== "" : pattern(expected).test(actual);
}
const isObject = (json: Json | undefined): json is { readonly [key: string]: Json } =>
  typeof json === "object" && json !== null && !isArray(json);
/** Map entries in a canonical order. */
function sorted(entries: readonly Json[]): readonly Json[] {
  return [...entries].sort((a, b) => {
    const x = JSON.stringify(isArray(a) ? a[0] : a),
      y = JSON.stringify(isArray(b) ? b[0] : b);
    return x < y ? -1 : x > y ? 1 : 0;
  });
}
export function difference(expected: Json | undefined, actual: Json | undefined, path: string): string | null {
  const wrong = (): string => `${path}: expected ${JSON.stringify(expected)} got ${JSON.stringify(actual)}`;
  if (typeof expected === "string") return typeof actual === "string" && sameText(expected, actual) ? null : wrong();
  if (isArray(expected)) {
    if (!isArray(actual) || actual.length !== expected.length) return wrong();
    for (const [i, e] of expected.entries()) {
      const d = difference(e, actual[i], `${path}[${i}]`);
      if (d !== null) return d;
    }
    return null;
  }
  if (!isObject(expected)) return expected === actual ? null : wrong();
  if (!isObject(actual)) return wrong();
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const e = expected[key],
      a = actual[key];
    const ordered = key === "map" && isArray(e) && isArray(a);
    const d = ordered ? difference(sorted(e), sorted(a), `${path}.map`) : difference(e, a, `${path}.${key}`);
    if (d !== null) return d;
  }
  return null;
}
function errorDifference(expected: Json | undefined, actual: Json | undefined, path: string): string | null {
  const e = objectOf(expected);
  if (!isObject(actual)) return `${path}: expected an error, ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`;
  if (JAVA_CLASS.test(textOrNull(e["class"]) ?? "")) return null;
  for (const key of ["phase", "class", "message"]) {
    const d = difference(e[key] ?? "", actual[key] ?? "", `${path}.${key}`);
    if (d !== null) return d;
  }
  const cause = e["cause"];
  if (!isObject(cause) || JAVA_CLASS.test(textOrNull(cause["class"]) ?? "")) return null;
  return difference(cause, actual["cause"], `${path}.cause`);
}
/** Numbers with a fraction are not integers, keys have no order. */
function canonical(node: JsonNode): Json {
  if (typeof node === "bigint") return { integer: String(node) };
  if (node instanceof JsonFloat) return { float: node.value };
  if (Array.isArray(node)) return node.map(canonical);
  if (node instanceof Map) return Object.fromEntries(Array.from(node, ([k, v]) => [k, canonical(v)]));
  return node;
}
const parsedJson = (base64: string): Json => canonical(new JsonParser(Buffer.from(base64, "base64")).value());

/** `json`: the bytes are JSON. */
export function outcomeDifference(expected: Json | undefined, actual: Json | undefined, json: boolean): string | null {
  if (isObject(expected) && isObject(expected["error"]))
    return errorDifference(expected["error"], isObject(actual) ? actual["error"] : undefined, "error");
  if (isObject(expected) && "bytes" in expected) {
    const e = textOrNull(expected["bytes"]),
      a = isObject(actual) ? textOrNull(actual["bytes"]) : null;
    if (e === null || a === null) return e === a ? null : `bytes: expected ${e} got ${a}`;
    if (json) return difference(parsedJson(e), parsedJson(a), "json");
    const text = textOrNull(expected["utf8"]);
    return text !== null && /<any:|<startsWith:|<contains:/.test(text)
      ? difference(text, Buffer.from(a, "base64").toString("utf8"), "utf8")
      : difference(e, a, "bytes");
  }
  return difference(expected, actual, "output");
}
