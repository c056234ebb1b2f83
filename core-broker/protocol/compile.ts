/**
 * Turns a shape and a version into straight-line code. One function per struct; scalars become one method call each, so
 * that V8 inlines them; tagged fields (KIP-482) go through a switch. Names in the generated text come from our own
 * declarations only. Where `new Function` is forbidden, `interpret.ts` is used instead; both are compared in tests.
 */
import { ProtocolError } from "./errors.ts";
import { interpretDecoder, interpretEncoder } from "./interpret.ts";
import { defaultOf, isCompact, isDefault, isNullable, isPresent, isTagged, type Layout } from "./layout.ts";
import type { Reader } from "./reader.ts";
import type { Field, Shape } from "./schema.ts";
import { Writer } from "./writer.ts";

export type Decode = (reader: Reader) => unknown;
export type Encode = (writer: Writer, value: unknown) => void;

const SCALAR_METHODS: ReadonlySet<string> = new Set(["bool", "int8", "int16", "int32", "int64", "uint16", "uint32", "float64", "uuid"]);

class Code {
  readonly functions: string[] = [];
  /** Objects that the code refers to as c[i]: defaults that are no literals, fields for default checks. */
  readonly constants: unknown[] = [];
  #names = 0;
  constant(value: unknown): string {
    if (value === null || typeof value === "number" || typeof value === "boolean" || typeof value === "string")
      return JSON.stringify(value);
    return `c[${this.constants.push(value) - 1}]`;
  }
  fresh(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }
}

function defaultExpression(code: Code, field: Field<unknown>): string {
  if (field.kind === "array" && field.default !== null) return "[]";
  if (field.kind === "struct" && field.default !== null) {
    if (field.default !== undefined) return `d(${code.constant(field)})`;
    const fields = Object.entries(field.shape ?? {}).map(([name, inner]) => `${JSON.stringify(name)}: ${defaultExpression(code, inner)}`);
    return `{ ${fields.join(", ")} }`;
  }
  return code.constant(defaultOf(field));
}
/** The test of `isDefault` for `value`, spelled out where that is possible: responses have such fields for every partition. */
function isDefaultExpression(code: Code, field: Field<unknown>, value: string): string {
  if (field.kind === "struct" && field.default === undefined) {
    const same = Object.entries(field.shape ?? {}).map(([name, inner]) =>
      isDefaultExpression(code, inner, `${value}[${JSON.stringify(name)}]`),
    );
    return `(${value} === undefined || (${[`${value} !== null`, ...same].join(" && ")}))`;
  }
  if (field.kind === "string" || SCALAR_METHODS.has(field.kind))
    return `(${value} === undefined || ${value} === ${code.constant(defaultOf(field))})`;
  return `same(${code.constant(field)}, ${value})`;
}

function readExpression(code: Code, field: Field<unknown>, layout: Layout, path: string): string {
  if (SCALAR_METHODS.has(field.kind)) return `r.${field.kind}()`;
  const compact = isCompact(field, layout);
  const name = code.fresh("read");
  const onNull = isNullable(field, layout.version) ? "return null" : `r.fail(${JSON.stringify(path)})`;
  if (field.kind === "string" || field.kind === "bytes" || field.kind === "records") {
    const length = field.kind === "string" ? "stringLength" : "length";
    const take = field.kind === "string" ? "text" : "view";
    code.functions.push(`function ${name}(r) { const n = r.${length}(${compact}); if (n < 0) ${onNull}; return r.${take}(n); }`);
  } else if (field.kind === "array") {
    const element = readExpression(code, field.of ?? field, layout, path);
    code.functions.push(
      `function ${name}(r) { const n = r.count(${compact}); if (n < 0) ${onNull}; const a = []; for (let i = 0; i < n; i++) a.push(${element}); return a; }`,
    );
  } else {
    const struct = structReader(code, field.shape ?? {}, layout, path);
    if (!isNullable(field, layout.version)) return `${struct}(r)`;
    code.functions.push(`function ${name}(r) { if (r.int8() < 0) return null; return ${struct}(r); }`);
  }
  return `${name}(r)`;
}

function structReader(code: Code, shape: Shape, layout: Layout, path: string): string {
  const name = code.fresh("struct");
  const body: string[] = [];
  const cases: string[] = [];
  const result: string[] = [];
  Object.entries(shape).forEach(([key, field], i) => {
    const present = isPresent(field, layout.version);
    result.push(`${JSON.stringify(key)}: v${i}`);
    if (present && !isTagged(field, layout)) {
      body.push(`const v${i} = ${readExpression(code, field, layout, `${path}.${key}`)};`);
      return;
    }
    body.push(`let v${i} = ${defaultExpression(code, field)};`);
    if (present) cases.push(`case ${field.tag}: v${i} = ${readExpression(code, field, layout, `${path}.${key}`)}; break;`);
  });
  if (layout.flexible) {
    body.push(
      cases.length === 0
        ? "r.skipTags();"
        : `for (let n = r.uvarint(); n > 0; n--) { const tag = r.uvarint(), size = r.uvarint(), start = r.position; if (size > r.remaining) r.take(size); switch (tag) { ${cases.join(" ")} default: r.take(size); } if (r.position !== start + size) wrong(${JSON.stringify(path)}); }`,
    );
  }
  code.functions.push(`function ${name}(r) { ${body.join(" ")} return { ${result.join(", ")} }; }`);
  return name;
}

function writeStatement(code: Code, field: Field<unknown>, layout: Layout, value: string, path: string): string {
  if (SCALAR_METHODS.has(field.kind)) return `w.${field.kind}(${value});`;
  const compact = isCompact(field, layout);
  const nullable = isNullable(field, layout.version);
  const check = nullable ? "" : `if (${value} === null) nullGiven(${JSON.stringify(path)}); `;
  if (field.kind === "string") return `${check}w.string(${value}, ${compact});`;
  if (field.kind === "bytes" || field.kind === "records") return `${check}w.bytes(${value}, ${compact});`;
  if (field.kind === "array") {
    const item = code.fresh("e");
    const element = writeStatement(code, field.of ?? field, layout, item, path);
    const size = (n: string): string => (compact ? `w.uvarint(${n} + 1);` : `w.int32(${n});`);
    return `${check}if (${value} === null) { ${size("-1")} } else { ${size(`${value}.length`)} for (const ${item} of ${value}) { ${element} } }`;
  }
  const struct = structWriter(code, field.shape ?? {}, layout, path);
  return nullable ? `if (${value} === null) w.int8(-1); else { w.int8(1); ${struct}(w, ${value}); }` : `${check}${struct}(w, ${value});`;
}

function structWriter(code: Code, shape: Shape, layout: Layout, path: string): string {
  const name = code.fresh("struct");
  const body: string[] = [];
  const tags: { tag: number; test: string; write: string }[] = [];
  Object.entries(shape).forEach(([key, field], i) => {
    const at = `${path}.${key}`;
    const local = `v${i}`;
    const given = `o[${JSON.stringify(key)}]`;
    if (!isPresent(field, layout.version)) {
      if (field.ignorable !== true)
        body.push(`if (${given} !== undefined && !${isDefaultExpression(code, field, given)}) absent(${JSON.stringify(at)});`);
      return;
    }
    if (isTagged(field, layout)) {
      const inner = writeStatement(code, field, layout, local, at).replaceAll(/\bw\b/g, "t");
      body.push(`const ${local} = ${given};`);
      tags.push({
        tag: field.tag ?? 0,
        test: `!${isDefaultExpression(code, field, local)}`,
        write: `const t = new Writer(); ${inner} w.uvarint(${field.tag}); w.uvarint(t.length); for (const part of t.parts()) w.raw(part);`,
      });
      return;
    }
    const fallback = field.kind === "struct" && field.default !== null ? "{}" : defaultExpression(code, field);
    body.push(`const ${local} = ${given} === undefined ? ${fallback} : ${given}; ${writeStatement(code, field, layout, local, at)}`);
  });
  if (layout.flexible) {
    tags.sort((a, b) => a.tag - b.tag);
    const flags = tags.map((t, i) => `const set${i} = ${t.test};`).join(" ");
    const count = tags.map((_, i) => `(set${i} ? 1 : 0)`).join(" + ") || "0";
    body.push(`${flags} w.uvarint(${count}); ${tags.map((t, i) => `if (set${i}) { ${t.write} }`).join(" ")}`);
  }
  code.functions.push(`function ${name}(w, o) { ${body.join("\n")} }`);
  return name;
}

const wrong = (path: string): never => {
  throw new ProtocolError(`tagged field of ${path} has the wrong size`);
};
const nullGiven = (path: string): never => {
  throw new TypeError(`${path} must not be null`);
};
const absent = (path: string): never => {
  throw new TypeError(`${path} cannot be expressed in this version`);
};

function codeGenerationAllowed(): boolean {
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- compiled from our own declarations, never from input
    return new Function("return true")() === true;
  } catch {
    return false;
  }
}
const GENERATE = codeGenerationAllowed();

export function compileDecoder(shape: Shape, layout: Layout, path: string): Decode {
  if (!GENERATE) return interpretDecoder(shape, layout, path);
  const code = new Code();
  const root = structReader(code, shape, layout, path);
  // oxlint-disable-next-line typescript/no-implied-eval -- compiled from our own declarations, never from input
  const make = new Function("c", "d", "wrong", `"use strict"; ${code.functions.join("\n")} return ${root};`);
  return make(code.constants, defaultOf, wrong);
}
export function compileEncoder(shape: Shape, layout: Layout, path: string): Encode {
  if (!GENERATE) return interpretEncoder(shape, layout, path);
  const code = new Code();
  const root = structWriter(code, shape, layout, path);
  // oxlint-disable-next-line typescript/no-implied-eval -- compiled from our own declarations, never from input
  const make = new Function(
    "c",
    "d",
    "same",
    "nullGiven",
    "absent",
    "Writer",
    `"use strict"; ${code.functions.join("\n")} return ${root};`,
  );
  return make(code.constants, defaultOf, isDefault, nullGiven, absent, Writer);
}
