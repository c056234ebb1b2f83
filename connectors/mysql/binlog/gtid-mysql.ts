/**
 * Sets of MySQL's GTIDs, with the tags of 8.3 and later: parsing, printing as the server prints them, union, difference,
 * containment. Text: `uuid:1-5:7,uuid:tag:1-3`; intervals are inclusive in text and half-open here.
 */
import { BinlogError } from "./failures.ts";

/** `[start, end)`. */
interface Interval {
  readonly start: bigint;
  readonly end: bigint;
}
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_BARE = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/;
const RANGE = /^(\d{1,19})(?:-(\d{1,19}))?$/;
/** Of a transaction number (2^63 - 1). */
const NUMBER_END = 0x7fffffffffffffffn;

export function uuidText(b: Uint8Array, p: number): string {
  const hex = Buffer.prototype.hexSlice.call(b, p, p + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Sorted, apart from each other by at least one. */
function merged(intervals: readonly Interval[]): Interval[] {
  const out: Interval[] = [];
  for (const next of intervals.toSorted((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0))) {
    const last = out.at(-1);
    if (last === undefined || next.start > last.end) out.push(next);
    else if (next.end > last.end) out[out.length - 1] = { start: last.start, end: next.end };
  }
  return out;
}
function without(from: readonly Interval[], what: readonly Interval[]): Interval[] {
  let left: Interval[] = [...from];
  for (const cut of what)
    left = left.flatMap((i) => {
      if (cut.end <= i.start || cut.start >= i.end) return [i];
      const parts: Interval[] = [];
      if (cut.start > i.start) parts.push({ start: i.start, end: cut.start });
      if (cut.end < i.end) parts.push({ start: cut.end, end: i.end });
      return parts;
    });
  return left;
}

/** Of one UUID and tag ("" for none). */
interface Source {
  readonly uuid: string;
  readonly tag: string;
  intervals: Interval[];
  /** Of the intervals; null: to be made. */
  text: string | null;
}
function intervalsText(intervals: readonly Interval[]): string {
  let text = "";
  for (const i of intervals) text += i.end - i.start === 1n ? `:${i.start}` : `:${i.start}-${i.end - 1n}`;
  return text;
}
const keyOf = (uuid: string, tag: string): string => (tag === "" ? uuid : `${uuid}:${tag}`);

export class MysqlGtidSet {
  readonly #sources = new Map<string, Source>();
  #text: string | null = "";
  /** In the order of the text; null: to be made. */
  #order: readonly Source[] | null = null;
  /** Throws BinlogError for text that is not a GTID set. */
  static parse(text: string): MysqlGtidSet {
    const set = new MysqlGtidSet();
    for (const part of text.replaceAll(/\s/g, "").split(",")) if (part !== "") set.#parseSource(part);
    return set;
  }
  #parseSource(part: string): void {
    const [first = "", ...pieces] = part.split(":");
    const uuid = first.toLowerCase().replace(UUID_BARE, "$1-$2-$3-$4-$5");
    if (!UUID.test(uuid) || pieces.length === 0) throw new BinlogError("corrupt", `"${part}" is not a part of a GTID set`);
    let tag = "";
    for (const piece of pieces) {
      const range = RANGE.exec(piece);
      if (range === null) {
        tag = piece.toLowerCase();
        if (!TAG.test(tag)) throw new BinlogError("corrupt", `"${piece}" is neither a range nor a tag of a GTID set`);
        continue;
      }
      const start = BigInt(range[1] ?? 0),
        last = BigInt(range[2] ?? range[1] ?? 0);
      if (start < 1n || last >= NUMBER_END) throw new BinlogError("corrupt", `"${piece}" is out of range in a GTID set`);
      if (last >= start) this.addRange(uuid, tag, start, last + 1n);
    }
  }
  get isEmpty(): boolean {
    return this.#sources.size === 0;
  }
  /** UUIDs with their tags, e.g. for filters of sources. */
  get uuids(): readonly string[] {
    return [...new Set([...this.#sources.values()].map((s) => s.uuid))].sort();
  }
  /** Adds `[start, end)`. The next number of a source that is there already costs next to nothing. */
  addRange(uuid: string, tag: string, start: bigint, end: bigint): void {
    this.#text = null;
    const key = keyOf(uuid, tag);
    const source = this.#sources.get(key);
    if (source === undefined) {
      this.#put(uuid, tag, [{ start, end }]);
      return;
    }
    source.text = null;
    const last = source.intervals.at(-1);
    if (last !== undefined && last.end === start) source.intervals[source.intervals.length - 1] = { start: last.start, end };
    else source.intervals = merged([...source.intervals, { start, end }]);
  }
  #put(uuid: string, tag: string, intervals: Interval[]): void {
    this.#text = null;
    this.#order = null;
    this.#sources.set(keyOf(uuid, tag), { uuid, tag, intervals, text: null });
  }
  add(uuid: string, tag: string, number: bigint): void {
    this.addRange(uuid, tag, number, number + 1n);
  }
  contains(uuid: string, tag: string, number: bigint): boolean {
    return this.#sources.get(keyOf(uuid, tag))?.intervals.some((i) => number >= i.start && number < i.end) ?? false;
  }
  containsAll(other: MysqlGtidSet): boolean {
    return other.minus(this).isEmpty;
  }
  equals(other: MysqlGtidSet): boolean {
    return this.containsAll(other) && other.containsAll(this);
  }
  copy(): MysqlGtidSet {
    return this.plus(new MysqlGtidSet());
  }
  plus(other: MysqlGtidSet): MysqlGtidSet {
    const out = new MysqlGtidSet();
    for (const s of [...this.#sources.values(), ...other.#sources.values()]) {
      const there = out.#sources.get(keyOf(s.uuid, s.tag))?.intervals ?? [];
      out.#put(s.uuid, s.tag, merged([...there, ...s.intervals]));
    }
    return out;
  }
  minus(other: MysqlGtidSet): MysqlGtidSet {
    const out = new MysqlGtidSet();
    for (const [key, s] of this.#sources) {
      const intervals = without(s.intervals, other.#sources.get(key)?.intervals ?? []);
      if (intervals.length > 0) out.#put(s.uuid, s.tag, intervals);
    }
    return out;
  }
  /** The sources whose UUID passes (gtid.source.includes and excludes). */
  only(passes: (uuid: string) => boolean): MysqlGtidSet {
    const out = new MysqlGtidSet();
    for (const s of this.#sources.values()) if (passes(s.uuid)) out.#put(s.uuid, s.tag, [...s.intervals]);
    return out;
  }
  /** As the server prints it, but for the line breaks: sorted by UUID, then by tag, the tag once before its ranges. */
  toString(): string {
    this.#text ??= this.#print();
    return this.#text;
  }
  #print(): string {
    let text = "",
      uuid = "";
    for (const s of this.#sorted()) {
      text += s.uuid === uuid ? "" : `${text === "" ? "" : ","}${s.uuid}`;
      uuid = s.uuid;
      if (s.tag !== "") text += `:${s.tag}`;
      s.text ??= intervalsText(s.intervals);
      text += s.text;
    }
    return text;
  }
  #sorted(): readonly Source[] {
    this.#order ??= [...this.#sources.values()].sort((a, b) =>
      a.uuid < b.uuid ? -1 : a.uuid > b.uuid ? 1 : a.tag < b.tag ? -1 : a.tag > b.tag ? 1 : 0,
    );
    return this.#order;
  }
  /** Form of COM_BINLOG_DUMP_GTID and PREVIOUS_GTIDS_LOG_EVENT; the tagged one only when there are tags (8.3). */
  encode(): Buffer {
    const sources = this.#sorted();
    const tagged = sources.some((s) => s.tag !== "");
    const head = Buffer.alloc(8);
    if (tagged) {
      // Format in the first and the last byte, the count between them.
      head[0] = 1;
      head.writeUIntLE(sources.length, 1, 6);
      head[7] = 1;
    } else head.writeUIntLE(sources.length, 0, 6);
    const parts: Buffer[] = [head];
    for (const s of sources) {
      parts.push(Buffer.from(s.uuid.replaceAll("-", ""), "hex"));
      // The tag's length is an integer of the serialization library: below 64 it is one byte, doubled.
      if (tagged) parts.push(Buffer.from([s.tag.length * 2]), Buffer.from(s.tag, "latin1"));
      const intervals = Buffer.alloc(8 + s.intervals.length * 16);
      intervals.writeBigUInt64LE(BigInt(s.intervals.length), 0);
      s.intervals.forEach((i, n) => {
        intervals.writeBigUInt64LE(i.start, 8 + n * 16);
        intervals.writeBigUInt64LE(i.end, 16 + n * 16);
      });
      parts.push(intervals);
    }
    return Buffer.concat(parts);
  }
}
