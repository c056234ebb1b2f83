/**
 * Text of columns in the binary log: it stands there in the column's character set. What the runtime has no decoder for comes as
 * tables of 256 characters from the server itself (single-byte sets), so that every character is what the server means by it.
 */
import type { RawColumn } from "#connect/api/raw-row";
import { ascii, utf8 } from "../cdc/cell-bytes.ts";

/** Labels of the Encoding Standard for MySQL's names. Sets that differ from the standard's in some characters are in `TABLES`. */
const LABELS: Readonly<Record<string, string>> = {
  big5: "big5",
  cp932: "shift_jis",
  sjis: "shift_jis",
  eucjpms: "euc-jp",
  ujis: "euc-jp",
  euckr: "euc-kr",
  gb2312: "gbk",
  gbk: "gbk",
  gb18030: "gb18030",
  ucs2: "utf-16be",
  utf16: "utf-16be",
  utf16le: "utf-16le",
};
/** Single-byte sets that are read by the server's own tables. */
export const TABLES: readonly string[] = [
  ..."armscii8 cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 dec8 geostd8 greek hebrew hp8 keybcs2".split(" "),
  ..."koi8r koi8u latin1 latin2 latin5 latin7 macce macroman swe7 tis620".split(" "),
];
const UTF8 = new Set(["utf8", "utf8mb3", "utf8mb4", "ascii"]);

const UTF8_TEXT: RawColumn = { form: "text", decode: utf8 };
const decoders = new Map<string, TextDecoder>();

function utf32(b: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i + 3 < end; i += 4) {
    const code = (((b[i] as number) << 24) | ((b[i + 1] as number) << 16) | ((b[i + 2] as number) << 8) | (b[i + 3] as number)) >>> 0;
    text += code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  }
  return text;
}
/** windows-1252, which MySQL's latin1 is, where no table was read. */
const latin1 = new TextDecoder("windows-1252");

/** Decodes cells in `charset`; `tables`: characters of single-byte sets. Null: the set is not known. */
export function charsetDecoder(
  charset: string,
  tables: ReadonlyMap<string, readonly string[]>,
): ((b: Uint8Array, start: number, end: number) => string) | null {
  const name = charset.toLowerCase();
  if (UTF8.has(name)) return utf8;
  if (name === "binary") return ascii;
  if (name === "utf32") return utf32;
  const table = tables.get(name);
  if (table !== undefined)
    return (b, start, end) => {
      let text = "";
      for (let i = start; i < end; i++) text += table[b[i] as number] ?? "\ufffd";
      return text;
    };
  if (name === "latin1") return (b, start, end) => latin1.decode(b.subarray(start, end));
  const label = LABELS[name];
  if (label === undefined) return null;
  const decoder = decoders.get(label) ?? new TextDecoder(label);
  decoders.set(label, decoder);
  return (b, start, end) => decoder.decode(b.subarray(start, end));
}
/** How text in `charset` is read from the binary log; sets that are not known are read as UTF-8. */
export function charsetColumn(charset: string | null, tables: ReadonlyMap<string, readonly string[]>): RawColumn {
  const decode = charset === null ? utf8 : (charsetDecoder(charset, tables) ?? utf8);
  return decode === utf8 ? UTF8_TEXT : { form: "decode", decode };
}

/** Asks for the 256 characters of each set that the server has, in UTF-8: `name`, `n`, `c`. */
export const charsetTableQuery = (names: readonly string[]): string =>
  names.map((name) => `SELECT '${name}' AS name, CONVERT(_${name} X'${ALL}' USING utf8mb4) AS c`).join(" UNION ALL ");
const ALL = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString("hex");
/** Null: the set has bytes without a character, so positions do not match; it is then read byte by byte by the runtime's decoder. */
export function charsetTable(characters: string): readonly string[] | null {
  const list = Array.from(characters);
  return list.length === 256 ? list : null;
}
