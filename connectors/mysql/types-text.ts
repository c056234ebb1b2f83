/** Character types, ENUM, SET, JSON, UUID and addresses. */
import type { RawColumn } from "#connect/api/raw-row";
import { primitive } from "#connect/api/schema";
import { utf8 } from "../cdc/cell-bytes.ts";
import * as semantic from "../cdc/semantic-types.ts";
import type { TableColumn } from "./binlog/types.ts";
import { charsetColumn } from "./charsets.ts";
import { type ColumnType, decoded, type TypeModes } from "./column-type.ts";
import { cellBytes, inflating } from "./compressed-cells.ts";
import { embeddedJson, jsonText } from "./binlog/json.ts";
import { littleEndian } from "./types-numeric.ts";

const TEXT: RawColumn = { form: "text", decode: utf8 };

/** `charset`: of the bytes in the log. */
export function characterType(charset: string | null, modes: TypeModes): ColumnType {
  const cell = charsetColumn(charset, modes.charsetTables);
  return {
    shape: (options) => primitive("STRING", options),
    neutral: "",
    textual: true,
    text: TEXT,
    binlog: (wire) => inflating(wire, cell),
    defaultOf: (t) => t,
  };
}

/** A member as it stands in the DDL, without its quotes. */
const unquoted = (quoted: string): string => /^'([\s\S]*)'$/.exec(quoted)?.[1] ?? /^"([\s\S]*)"$/.exec(quoted)?.[1] ?? quoted;
/** A member as the server has it. */
export const memberText = (quoted: string): string =>
  unquoted(quoted)
    .replaceAll("''", "'")
    .replace(/\\([\s\S])/g, "$1");
/** A member as the reference lists it in the schema: commas are escaped, backslashes but those before quotes stay as they are in the DDL. */
const listedMember = (quoted: string): string => unquoted(quoted).replaceAll(",", "\\,").replaceAll("\\'", "'").replaceAll("''", "'");

/** `quoted`: the members as in the DDL. An invalid value, index 0, is the empty string. */
export function enumType(quoted: readonly string[]): ColumnType {
  // The reference shows values of the log as the schema lists them; those of the snapshot as they are.
  const listed = quoted.map(listedMember);
  const cell = decoded((b, start, end) => listed[littleEndian(b, start, end) - 1] ?? "");
  return {
    shape: semantic.enumeration(listed),
    neutral: "",
    textual: true,
    text: TEXT,
    binlog: () => cell,
    defaultOf: (t) => t,
  };
}
export function setType(quoted: readonly string[]): ColumnType {
  const members = quoted.map(memberText);
  const cell = decoded((b, start, end) => {
    const chosen: string[] = [];
    members.forEach((member, i) => {
      if ((((b[start + (i >> 3)] as number) ?? 0) >> (i & 7)) & 1 && start + (i >> 3) < end) chosen.push(member);
    });
    return chosen.join(",");
  });
  return {
    shape: semantic.enumerationSet(quoted.map(listedMember)),
    neutral: "",
    textual: true,
    text: TEXT,
    binlog: () => cell,
    defaultOf: (t) => t,
  };
}

/** The binary form's text inside a JSON string. */
const JSON_CELL: RawColumn = {
  form: "writer",
  decode: (b, start, end) => jsonText(asBuffer(b), start, end),
  write(b, start, end, out) {
    const json = embeddedJson(asBuffer(b), start, end);
    // Text that the server never wrote as JSON may hold anything.
    if (json === null) return false;
    const { bytes, length } = json;
    out.reserve(length + 2);
    const to = out.bytes;
    let p = out.length;
    to[p++] = 0x22;
    p += bytes.copy(to, p, 0, length);
    to[p++] = 0x22;
    out.length = p;
    return true;
  },
};
/** The snapshot shows the server's text, the log its binary form written anew. MariaDB's JSON is a LONGTEXT. */
export const jsonType: ColumnType = {
  shape: semantic.json,
  neutral: "{}",
  text: TEXT,
  binlog: (wire) => (isJson(wire) ? JSON_CELL : inflating(wire, TEXT)),
  defaultOf: (t) => t,
};
const asBuffer = (b: Uint8Array): Buffer => (Buffer.isBuffer(b) ? b : Buffer.from(b.buffer, b.byteOffset, b.byteLength));
const isJson = (wire: TableColumn): boolean => wire.type === 245;

const hex = (b: Uint8Array, start: number, end: number): string => Buffer.prototype.hexSlice.call(b, start, end);
/**
 * MariaDB's record format has the groups of time-based UUIDs in reverse order, so that they sort by time; others stand as they
 * are (sql/sql_type_uuid.h). Trailing zero bytes are left out by the log.
 */
function uuidText(b: Uint8Array, start: number, end: number): string {
  const bytes = cellBytes(b, start, end, 16);
  const swapped = ((bytes[6] ?? 0) & 0x80) !== 0 && (bytes[8] ?? 0) > 0 && (bytes[8] ?? 0) < 0x60;
  const part = (from: number, to: number): string => hex(bytes, from, to);
  return swapped
    ? [part(12, 16), part(10, 12), part(8, 10), part(6, 8), part(0, 6)].join("-")
    : [part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 16)].join("-");
}
export const uuidType: ColumnType = {
  shape: semantic.uuid,
  neutral: "",
  text: TEXT,
  binlog: () => decoded(uuidText),
  defaultOf: () => undefined,
};

/** The longest run of zero groups is `::` (RFC 5952). */
function inet6Text(b: Uint8Array, start: number, end: number): string {
  const bytes = cellBytes(b, start, end, 16);
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2] ?? 0) << 8) | (bytes[i * 2 + 1] ?? 0));
  if (groups.slice(0, 5).every((g) => g === 0) && groups[5] === 0xffff) return `::ffff:${bytes.subarray(12, 16).join(".")}`;
  let best = -1,
    length = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === 0) n++;
    if (n > length) {
      best = i;
      length = n;
    }
  }
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(":");
  return best < 0 ? text(0, 8) : `${text(0, best)}::${text(best + length, 8)}`;
}
export const addressType = (bytes: 4 | 16): ColumnType => ({
  shape: (options) => primitive("STRING", options),
  neutral: "",
  text: TEXT,
  binlog: () => decoded((b, start, end) => (bytes === 4 ? cellBytes(b, start, end, 4).join(".") : inet6Text(b, start, end))),
  defaultOf: (t) => t,
});
