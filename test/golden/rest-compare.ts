/** Compares an answer with a recorded one: placeholders, plugin lists by subset, texts of the JVM not at all. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
/** Whole-text match of a string with placeholders. */
function textMatches(expected: string, actual: string): boolean {
  const contains = /^<contains:([\s\S]*)>$/.exec(expected);
  if (contains !== null) return actual.includes(contains[1] ?? "");
  const starts = /^<startsWith:([\s\S]*)>$/.exec(expected);
  if (starts !== null) return actual.startsWith(starts[1] ?? "");
  const pattern = expected
    .split(/(<any:string>|<any:int>)/)
    .map((part) => (part === "<any:string>" ? "[\\s\\S]*" : part === "<any:int>" ? "-?\\d+" : escaped(part)))
    .join("");
  return new RegExp(`^${pattern}$`).test(actual);
}
/** Descriptions of regular expressions are the engine's own. */
const REGEX_TEXT = /(Unclosed|Dangling|Illegal|Unmatched|Unknown)[^\n]*? near index \d+\n[^\n]*(\n *\^)?/g;
const CLASS_NAME = /^[a-z]\w*(\.\w+){2,}\.[A-Z][\w$]*$/;
export const isObject = (v: Json): v is { readonly [key: string]: Json } => typeof v === "object" && v !== null && !Array.isArray(v);

/** Null: equal. Else where the first difference is. */
export function difference(expected: Json, actual: Json | undefined, path: string, unordered: boolean): string | null {
  if (actual === undefined) return `${path} is missing`;
  if (expected === "<any:int>" && typeof actual === "number") return null;
  if (typeof expected === "string") {
    if (typeof actual === "string" && textMatches(expected.replaceAll(REGEX_TEXT, "<any:string>"), actual)) return null;
  } else if (Array.isArray(expected)) {
    if (Array.isArray(actual)) return listDifference(expected, actual, path, unordered);
  } else if (isObject(expected)) {
    if (isObject(actual)) return objectDifference(expected, actual, path, unordered);
  } else if (expected === actual) return null;
  return `${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`;
}
function listDifference(expected: readonly Json[], actual: readonly Json[], path: string, unordered: boolean): string | null {
  if (expected.length !== actual.length) return `${path}: expected ${expected.length} entries, got ${JSON.stringify(actual)}`;
  if (!unordered) {
    for (const [i, e] of expected.entries()) {
      const found = difference(e, actual[i], `${path}[${i}]`, unordered);
      if (found !== null) return found;
    }
    return null;
  }
  const missing = expected.find((e) => !actual.some((a) => difference(e, a, path, unordered) === null));
  return missing === undefined ? null : `${path}: ${JSON.stringify(missing)} is missing in ${JSON.stringify(actual)}`;
}
function objectDifference(
  expected: { readonly [key: string]: Json },
  actual: { readonly [key: string]: Json },
  path: string,
  unordered: boolean,
): string | null {
  for (const [key, e] of Object.entries(expected)) {
    // Our own words; and plugins that we have.
    if ((key === "documentation" || key === "display_name") && typeof actual[key] === "string") continue;
    if (key === "recommended_values" && Array.isArray(e) && e.length > 0 && e.every((v) => typeof v === "string" && CLASS_NAME.test(v)))
      continue;
    const found = difference(e, actual[key], `${path}.${key}`, unordered);
    if (found !== null) return found;
  }
  const surplus = Object.keys(actual).find((key) => !(key in expected));
  return surplus === undefined ? null : `${path}.${surplus} is not expected`;
}

/** Of recorded plugins, those that we have must be there with the same type and version; others are not looked at. */
export function subsetDifference(expected: Json, actual: Json, unordered: boolean): string | null {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const have = new Set(actual.filter(isObject).map((a) => a["class"]));
    const wanted = expected.filter((e) => !isObject(e) || have.has(e["class"]));
    if (wanted.length === 0) return "none of the recorded entries is there";
    const missing = wanted.find((e) => !actual.some((a) => difference(e, a, "", true) === null));
    return missing === undefined ? null : `${JSON.stringify(missing)} is missing`;
  }
  if (!isObject(expected) || !isObject(actual)) return "not the same kind";
  for (const [key, e] of Object.entries(expected)) {
    const found = difference(e, actual[key], key, unordered);
    if (found !== null) return found;
  }
  return null;
}
