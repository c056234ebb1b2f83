/** Arrays, hstore, points and PostGIS geometries. */
import { createHash } from "node:crypto";
import type { RawColumn } from "#connect/api/raw-row";
import { arrayOf, mapOf, primitive, type Schema, STRING } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import * as semantic from "../cdc/semantic-types.ts";
import { inHashMapOrder } from "../cdc/java-hash.ts";
import { ascii, utf8 } from "../cdc/cell-bytes.ts";
import type { ColumnType, TypeModes } from "./column-type.ts";

/** Elements of an array literal as text; null for NULL, `undefined` for an array inside. `[0:1]={…}` loses its bounds. */
export function arrayElements(text: string, delimiter: string): (string | null | undefined)[] {
  const elements: (string | null | undefined)[] = [];
  let p = text.indexOf("{") + 1;
  if (text.charAt(p) === "}") return elements;
  while (p < text.length) {
    const c = text.charAt(p);
    if (c === "{") {
      let depth = 0,
        quoted = false;
      do {
        const d = text.charAt(p);
        if (d === "\\") p++;
        else if (d === '"') quoted = !quoted;
        else if (!quoted && d === "{") depth++;
        else if (!quoted && d === "}") depth--;
        p++;
      } while (depth > 0 && p < text.length);
      elements.push(undefined);
    } else if (c === '"') {
      let value = "";
      p++;
      while (p < text.length && text.charAt(p) !== '"') {
        if (text.charAt(p) === "\\") p++;
        value += text.charAt(p++);
      }
      elements.push(value);
      p++;
    } else {
      const start = p;
      while (p < text.length && text.charAt(p) !== delimiter && text.charAt(p) !== "}") p++;
      const value = text.slice(start, p);
      elements.push(value === "NULL" ? null : value);
    }
    if (text.charAt(p) !== delimiter) break;
    p++;
  }
  return elements;
}

/** The UUID of a name's bytes by MD5 (RFC 4122, version 3). */
function uuidOf(name: Uint8Array): string {
  const hash = createHash("md5").update(name).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x30, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString("hex").replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** `elementOptional`: enum elements are not. A multi-dimensional array shows null for each of its inner arrays. */
export function arrayType(element: ColumnType, modes: TypeModes, elementOptional: boolean, delimiter = ","): ColumnType {
  const schema = element.shape({ optional: elementOptional });
  const of = element.bind?.(schema).raw ?? element.raw;
  const text = modes.placeholder.toString("utf8");
  const numbers = [...new Int8Array(modes.placeholder)];
  const unavailable: ConnectValue =
    schema.type === "INT32"
      ? numbers
      : schema.type === "INT64"
        ? numbers.map(BigInt)
        : schema.type === "STRING"
          ? [schema.name === "io.debezium.data.Uuid" ? uuidOf(modes.placeholder) : text]
          : schema.type === "BYTES" && schema.name === null
            ? [modes.placeholder]
            : null;
  return {
    shape: (options) => arrayOf(schema, options),
    raw: {
      form: "decode",
      decode(b, start, end) {
        const elements = arrayElements(utf8(b, start, end), delimiter);
        // An element that must not be null cannot be shown; then nothing of the array is.
        if (!elementOptional && elements.some((e) => e === null || e === undefined)) return null;
        return elements.map((e): ConnectValue => {
          if (e === null || e === undefined) return null;
          const bytes = Buffer.from(e);
          return of.decode(bytes, 0, bytes.length);
        });
      },
    },
    neutral: [],
    unavailable,
  };
}
/** A type whose values the reference cannot read. */
export const alwaysNull = (type: ColumnType): ColumnType => ({ ...type, raw: { form: "decode", decode: () => null } });

const PAIR = /"((?:[^"\\]|\\.)*)"=>(?:"((?:[^"\\]|\\.)*)"|NULL)/g;
const plain = (escaped: string): string => escaped.replace(/\\(.)/gs, "$1");
export function hstorePairs(text: string): ReadonlyMap<string, string | null> {
  const pairs = new Map<string, string | null>();
  for (const m of text.matchAll(PAIR)) pairs.set(plain(m[1] ?? ""), m[2] === undefined ? null : plain(m[2]));
  return pairs;
}
export function hstoreType(modes: TypeModes): ColumnType {
  const placeholder = modes.placeholder.toString("utf8");
  if (modes.hstore === "map")
    return {
      shape: (options) => mapOf(STRING, primitive("STRING", { optional: true }), options),
      raw: { form: "decode", decode: (b, start, end) => new Map(inHashMapOrder(hstorePairs(utf8(b, start, end)))) },
      neutral: new Map(),
      unavailable: new Map([[placeholder, placeholder]]),
    };
  const text = (b: Uint8Array, start: number, end: number): string =>
    `{${inHashMapOrder(hstorePairs(utf8(b, start, end)))
      .map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`)
      .join(",")}}`;
  return {
    shape: semantic.json,
    raw: { form: "decode", decode: text },
    neutral: "{}",
    unavailable: `{"${placeholder}":"${placeholder}"}`,
  };
}

function pointColumn(schema: Schema): { readonly raw: RawColumn; readonly neutral: ConnectValue } {
  const value = (x: number, y: number): Struct => {
    const wkb = Buffer.alloc(21);
    wkb[0] = 1;
    wkb.writeUInt32LE(1, 1);
    wkb.writeDoubleLE(x, 5);
    wkb.writeDoubleLE(y, 13);
    return new Struct(schema, [x, y, wkb, null]);
  };
  const raw: RawColumn = {
    form: "decode",
    decode(b, start, end) {
      const [x = "0", y = "0"] = ascii(b, start + 1, end - 1).split(",");
      return value(Number(x), Number(y));
    },
  };
  return { raw, neutral: value(0, 0) };
}
export const pointType = (): ColumnType => ({
  shape: semantic.point,
  ...pointColumn(semantic.point({})),
  bind: pointColumn,
  unavailable: null,
});

function geometryColumn(schema: Schema): { readonly raw: RawColumn; readonly neutral: ConnectValue } {
  const raw: RawColumn = {
    form: "decode",
    decode(b, start, end) {
      const bytes = Buffer.from(ascii(b, start, end), "hex");
      const little = bytes[0] === 1;
      const type = little ? bytes.readUInt32LE(1) : bytes.readUInt32BE(1);
      const srid = (type & 0x20000000) === 0 ? null : little ? bytes.readInt32LE(5) : bytes.readInt32BE(5);
      return new Struct(schema, [bytes, srid]);
    },
  };
  return { raw, neutral: new Struct(schema, [Buffer.alloc(0), null]) };
}
/** EWKB in hex. */
export function geometryType(name: "Geometry" | "Geography"): ColumnType {
  const shape = semantic.geometry(name);
  return { shape, ...geometryColumn(shape({})), bind: geometryColumn, unavailable: null };
}
