/**
 * MySQL's binary JSON (json_binary.h in MySQL's source): a type byte, then scalars or containers whose entries hold offsets from the
 * container's start. Text as Debezium's reader prints it: no spaces, members in stored order.
 */
import { int32, uint16, uint32, uint64 } from "./bytes.ts";
import { BinlogError, truncated } from "./failures.ts";
import { doubleText, JsonOutput, opaqueText, quoted } from "./json-scalars.ts";

const SMALL_OBJECT = 0;
const LARGE_OBJECT = 1;
const SMALL_ARRAY = 2;
const LARGE_ARRAY = 3;
const LITERAL = 4;
const INT16 = 5;
const UINT16 = 6;
const INT32 = 7;
const UINT32 = 8;
const INT64 = 9;
const UINT64 = 10;
const DOUBLE = 11;
const STRING = 12;
const OPAQUE = 15;

/** MySQL's own limit. */
const DEPTH_MAX = 100;

/** Members of an object keep their order; a scalar is its text. */
export type JsonNode = string | JsonNode[] | Map<string, JsonNode>;

class Document {
  readonly #b: Buffer;
  readonly #end: number;
  /** Entries may point anywhere: what is read in all must not exceed what is there. */
  #budget: number;
  constructor(b: Buffer, start: number, end: number) {
    this.#b = b;
    this.#end = end;
    this.#budget = end - start;
  }
  write(type: number, p: number, depth: number, out: JsonOutput): void {
    if (type > LARGE_ARRAY) return this.#writeScalar(type, p, out);
    const c = this.#container(type, p, depth);
    out.byte(c.object ? 0x7b : 0x5b);
    for (let i = 0; i < c.count; i++) {
      if (i > 0) out.byte(0x2c);
      if (c.object) {
        const key = this.#keyAt(c, i);
        out.quoted(this.#b, key, key + this.#size);
        out.byte(0x3a);
      }
      const at = this.#inlinedAt(c, i);
      if (at >= 0) this.#writePlain(this.#b[at - 1] as number, at, out);
      else this.write(c.entryType, c.entryAt, depth + 1, out);
    }
    out.byte(c.object ? 0x7d : 0x5d);
  }
  node(type: number, p: number, depth: number): JsonNode {
    if (type > LARGE_ARRAY) return this.#scalar(type, p);
    const c = this.#container(type, p, depth);
    const members = new Map<string, JsonNode>();
    const items: JsonNode[] = [];
    for (let i = 0; i < c.count; i++) {
      const key = c.object ? this.#key(c, i) : "";
      const value = this.#inlined(c, i) ?? this.node(c.entryType, c.entryAt, depth + 1);
      if (c.object) members.set(key, value);
      else items.push(value);
    }
    return c.object ? members : items;
  }
  #spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) throw new BinlogError("corrupt", "The entries of a JSON document overlap");
  }
  #has(p: number, size: number): number {
    if (size < 0 || p + size > this.#end) throw truncated("A JSON document");
    return p;
  }
  #container(type: number, p: number, depth: number): Container {
    if (depth > DEPTH_MAX) throw new BinlogError("corrupt", `A JSON document is nested more than ${DEPTH_MAX} deep`);
    const object = type === SMALL_OBJECT || type === LARGE_OBJECT;
    const width = type === SMALL_OBJECT || type === SMALL_ARRAY ? 2 : 4;
    this.#has(p, width * 2);
    const count = width === 2 ? uint16(this.#b, p) : uint32(this.#b, p);
    const size = width === 2 ? uint16(this.#b, p + 2) : uint32(this.#b, p + width);
    this.#has(p, size);
    const keys = p + width * 2;
    const values = object ? keys + count * (width + 2) : keys;
    const stop = values + count * (width + 1);
    if (stop > p + size) throw truncated("A JSON document");
    this.#spend(width * 2 + (stop - keys));
    // Only one container of each depth is open at a time.
    const c = (containers[depth] ??= { ...NO_CONTAINER });
    c.start = p;
    c.object = object;
    c.width = width;
    c.count = count;
    c.size = size;
    c.keys = keys;
    c.values = values;
    c.head = stop - p;
    return c;
  }
  #key(c: Container, i: number): string {
    const start = this.#keyAt(c, i);
    return this.#b.utf8Slice(start, start + this.#size);
  }
  /** Where a key begins; its length into #size. */
  #keyAt(c: Container, i: number): number {
    const at = c.keys + i * (c.width + 2);
    const offset = c.width === 2 ? uint16(this.#b, at) : uint32(this.#b, at);
    const length = uint16(this.#b, at + c.width);
    if (offset < c.head || offset + length > c.size) throw truncated("A key of a JSON document");
    this.#spend(length);
    this.#size = length;
    return c.start + offset;
  }
  /** Text of a value that stands in its entry; else null, and the container says where it is. */
  #inlined(c: Container, i: number): string | null {
    const at = this.#inlinedAt(c, i);
    return at < 0 ? null : this.#plain(this.#b[at - 1] as number, at);
  }
  /** Where a value is that stands in its entry, behind its type; else -1, and the container says where it is. */
  #inlinedAt(c: Container, i: number): number {
    const at = c.values + i * (c.width + 1);
    const type = this.#b[at] as number;
    if (type === LITERAL || type === INT16 || type === UINT16 || (c.width === 4 && (type === INT32 || type === UINT32))) return at + 1;
    const offset = c.width === 2 ? uint16(this.#b, at + 1) : uint32(this.#b, at + 1);
    if (offset < c.head || offset >= c.size) throw truncated("A value of a JSON document");
    c.entryType = type;
    c.entryAt = c.start + offset;
    return -1;
  }
  #writePlain(type: number, p: number, out: JsonOutput): void {
    const b = this.#b;
    if (type === INT16) out.integer((uint16(b, p) << 16) >> 16);
    else if (type === UINT16) out.integer(uint16(b, p));
    else if (type === INT32) out.integer(int32(b, p));
    else if (type === UINT32) out.integer(uint32(b, p));
    else out.text(this.#plain(type, p));
  }
  #writeScalar(type: number, p: number, out: JsonOutput): void {
    if (type !== STRING) return out.text(this.#scalar(type, p));
    const at = this.#length(p);
    out.quoted(this.#b, at, this.#has(at, this.#size) + this.#size);
  }
  #plain(type: number, p: number): string {
    const b = this.#b;
    switch (type) {
      case LITERAL: {
        const value = b[p];
        if (value === 0) return "null";
        if (value === 1) return "true";
        if (value === 2) return "false";
        throw new BinlogError("corrupt", `A JSON document has the literal ${value}`);
      }
      case INT16:
        return String((uint16(b, p) << 16) >> 16);
      case UINT16:
        return String(uint16(b, p));
      case INT32:
        return String(int32(b, p));
      default:
        return String(uint32(b, p));
    }
  }
  #scalar(type: number, p: number): string {
    const b = this.#b;
    switch (type) {
      case LITERAL:
        return this.#plain(type, this.#has(p, 1));
      case INT16:
      case UINT16:
        return this.#plain(type, this.#has(p, 2));
      case INT32:
      case UINT32:
        this.#spend(4);
        return this.#plain(type, this.#has(p, 4));
      case INT64:
        this.#spend(8);
        return String(BigInt.asIntN(64, uint64(b, this.#has(p, 8))));
      case UINT64:
        this.#spend(8);
        return String(uint64(b, this.#has(p, 8)));
      case DOUBLE:
        this.#spend(8);
        return doubleText(b.readDoubleLE(this.#has(p, 8)));
      case STRING: {
        const at = this.#length(p);
        return quoted(b.utf8Slice(at, this.#has(at, this.#size) + this.#size));
      }
      case OPAQUE: {
        const at = this.#length(this.#has(p, 1) + 1);
        return opaqueText(b[p] as number, b, at, this.#has(at, this.#size) + this.#size);
      }
      default:
        throw new BinlogError("corrupt", `A JSON document has a value of type ${type}`);
    }
  }
  #size = 0;
  /** A length in up to five bytes of seven bits, into #size; returns the position after it. */
  #length(p: number): number {
    let value = 0;
    for (let i = 0; i < 5; i++) {
      const byte = this.#b[this.#has(p + i, 1)] as number;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) {
        this.#size = value;
        this.#spend(value + i + 1);
        return p + i + 1;
      }
    }
    throw new BinlogError("corrupt", "A length in a JSON document has no end");
  }
}
interface Container {
  start: number;
  object: boolean;
  /** Bytes of offsets: 2 in small, 4 in large containers. */
  width: number;
  count: number;
  size: number;
  keys: number;
  values: number;
  /** Bytes before the first key or value. */
  head: number;
  entryType: number;
  entryAt: number;
}
const NO_CONTAINER: Container = {
  start: 0,
  object: false,
  width: 0,
  count: 0,
  size: 0,
  keys: 0,
  values: 0,
  head: 0,
  entryType: 0,
  entryAt: 0,
};
/** By depth, used for one document after the other. */
const containers: Container[] = [];

const output = new JsonOutput();
/**
 * A JSON cell as UTF-8; the bytes are valid until the next call. Throws BinlogError; an empty cell (a NULL that a NOT NULL column got) has no
 * text: the caller decides.
 */
export function jsonBytes(b: Buffer, start: number, end: number): JsonOutput {
  return written(b, start, end, false);
}
/** As `jsonBytes`, with what stands inside a JSON string escaped for it, without the quotes; null: text, not the binary form. */
export function embeddedJson(b: Buffer, start: number, end: number): JsonOutput | null {
  if (start < end && (b[start] as number) > OPAQUE) return null;
  return written(b, start, end, true);
}
function written(b: Buffer, start: number, end: number, embedded: boolean): JsonOutput {
  if (start >= end) throw truncated("A JSON document");
  output.clear(embedded);
  const type = b[start] as number;
  // Not the binary form, but text already.
  if (type > OPAQUE) output.raw(b, start, end);
  else new Document(b, start, end).write(type, start + 1, 0, output);
  return output;
}
/** As `jsonBytes`, as a string. */
export function jsonText(b: Buffer, start: number, end: number): string {
  const { bytes, length } = jsonBytes(b, start, end);
  return bytes.utf8Slice(0, length);
}
/** As `jsonText`, but containers stay open, so that diffs can be applied. */
export function jsonNode(b: Buffer, start: number, end: number): JsonNode {
  if (start >= end) throw truncated("A JSON document");
  return new Document(b, start, end).node(b[start] as number, start + 1, 0);
}
export function nodeText(node: JsonNode): string {
  if (typeof node === "string") return node;
  if (Array.isArray(node)) return `[${node.map(nodeText).join(",")}]`;
  return `{${[...node].map(([key, value]) => `${quoted(key)}:${nodeText(value)}`).join(",")}}`;
}
