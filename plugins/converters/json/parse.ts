/**
 * A JSON parser over bytes that keeps what Jackson's tree keeps and JSON.parse loses: integers of any size, and whether a
 * number was written as an integer. Like Kafka's deserializer it takes leading zeros and ignores what follows the first value.
 */
import { isUtf8 } from "node:buffer";

/** A number with a fraction or an exponent. */
export class JsonFloat {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  get value(): number {
    return Number(this.text);
  }
}
/** Integers are numbers while these are exact, else bigints. */
export type JsonNode = null | boolean | string | number | bigint | JsonFloat | JsonNode[] | JsonObject;
export type JsonObject = Map<string, JsonNode>;

export class JsonSyntaxError extends Error {
  constructor(text: string, bytes: Uint8Array, at: number) {
    let line = 1,
      start = 0;
    for (let i = 0; i < at && i < bytes.length; i++)
      if (bytes[i] === 10) {
        line++;
        start = i + 1;
      }
    super(
      `${text}\n at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); line: ${line}, column: ${at - start + 1}]`,
    );
  }
}
const MAX_DEPTH = 1000;
const isSpace = (c: number | undefined): boolean => c === 32 || c === 10 || c === 13 || c === 9;
const isDigit = (c: number | undefined): c is number => c !== undefined && c >= 48 && c <= 57;

/** JSON may come as UTF-16 or UTF-32, told by a byte order mark or by where its first character has zeros (RFC 4627, section 3). */
function asUtf8(b: Buffer): Buffer {
  const first = b[0] ?? 0,
    second = b[1] ?? 0;
  if (b.length < 2 || (first !== 0 && second !== 0 && (first < 0xfe || b.length < 4))) return b;
  const bigEndian = first === 0 || (first === 0xfe && second === 0xff);
  const marked = first >= 0xfe;
  if (marked && !(first === 0xff && second === 0xfe) && !bigEndian) return b;
  const wide = b.length >= 4 && (bigEndian ? first === 0 && second === 0 : b[2] === 0 && b[3] === 0);
  const unit = wide ? 4 : 2;
  let text = "";
  for (let at = 0; at + unit <= b.length; at += unit) {
    const code = wide ? (bigEndian ? b.readUInt32BE(at) : b.readUInt32LE(at)) : bigEndian ? b.readUInt16BE(at) : b.readUInt16LE(at);
    if (code === 0xfeff && at === 0) continue;
    text += code > 0x10ffff ? "\ufffd" : code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code);
  }
  return Buffer.from(text);
}

export class JsonParser {
  readonly bytes: Buffer;
  at: number;
  #depth = 0;

  constructor(bytes: Uint8Array, at = 0) {
    const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.bytes = at === 0 ? asUtf8(given) : given;
    this.at = at;
    if (at === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.at = 3;
  }
  fail(text: string): never {
    throw new JsonSyntaxError(text, this.bytes, this.at);
  }
  latin1(start: number, end: number): string {
    return this.bytes.latin1Slice(start, Math.min(end, this.bytes.length));
  }
  space(): number | undefined {
    while (isSpace(this.bytes[this.at])) this.at++;
    return this.bytes[this.at];
  }
  /** undefined: there is nothing but white space. */
  document(): JsonNode | undefined {
    return this.space() === undefined ? undefined : this.value();
  }
  value(): JsonNode {
    const c = this.space();
    switch (c) {
      case 0x22:
        return this.string();
      case 0x7b:
        return this.object();
      case 0x5b:
        return this.array();
      case 0x74:
        return this.word("true", true);
      case 0x66:
        return this.word("false", false);
      case 0x6e:
        return this.word("null", null);
      default:
        if (isDigit(c) || c === 45) return this.number();
        return this.unexpected(c);
    }
  }
  unexpected(c: number | undefined): never {
    if (c === undefined) this.fail("Unexpected end-of-input within/between Object entries");
    if (c === 47) {
      const why = "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)";
      this.fail(`Unexpected character ('/' (code 47)): ${why}`);
    }
    const m = /^[\p{L}\p{N}_$]+/u.exec(this.bytes.toString("utf8", this.at, this.at + 256));
    if (m !== null)
      this.fail(`Unrecognized token '${m[0]}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')`);
    this.fail(
      `Unexpected character ('${String.fromCharCode(c)}' (code ${c})): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')`,
    );
  }
  word<T>(word: string, value: T): T {
    const end = this.at + word.length;
    if (this.latin1(this.at, end) !== word || /[\w$]/.test(this.latin1(end, end + 1))) this.unexpected(this.bytes[this.at]);
    this.at = end;
    return value;
  }
  /** At an opening quote. */
  string(): string {
    const b = this.bytes,
      start = this.at + 1;
    let i = start,
      high = 0;
    for (;;) {
      const c = b[i];
      if (c === 0x22) break;
      if (c === undefined) this.fail("Unexpected end-of-input: was expecting closing quote for a string value");
      if (c === 0x5c) return this.escaped(start, i);
      if (c < 32) {
        this.at = i;
        this.fail(`Illegal unquoted character ((CTRL-CHAR, code ${c})): has to be escaped using backslash to be included in string value`);
      }
      high |= c;
      i++;
    }
    this.at = i + 1;
    return high < 128 ? b.latin1Slice(start, i) : this.utf8(start, i);
  }
  utf8(start: number, end: number): string {
    const text = this.bytes.utf8Slice(start, end);
    // What stands in for bytes that are no UTF-8 may also be in the text itself.
    if (text.includes("\ufffd") && !isUtf8(this.bytes.subarray(start, end))) this.fail("Invalid UTF-8 in a string");
    return text;
  }
  escaped(start: number, firstEscape: number): string {
    const b = this.bytes;
    let text = "",
      from = start,
      i = firstEscape;
    for (;;) {
      const c = b[i];
      if (c === undefined) this.fail("Unexpected end-of-input: was expecting closing quote for a string value");
      if (c < 32)
        this.fail(`Illegal unquoted character ((CTRL-CHAR, code ${c})): has to be escaped using backslash to be included in string value`);
      if (c === 0x22) {
        this.at = i + 1;
        return text + this.utf8(from, i);
      }
      if (c !== 0x5c) {
        i++;
        continue;
      }
      text += this.utf8(from, i);
      const e = b[i + 1];
      const at = e === undefined ? -1 : '"\\/bfnrt'.indexOf(String.fromCharCode(e));
      if (at >= 0) {
        text += '"\\/\b\f\n\r\t'.charAt(at);
        i += 2;
      } else {
        const hex = this.latin1(i + 2, i + 6);
        this.at = i + 1;
        if (e !== 0x75 || !/^[0-9a-fA-F]{4}$/.test(hex))
          this.fail(`Unrecognized character escape '${String.fromCharCode(e ?? 0)}' (code ${e ?? 0})`);
        text += String.fromCharCode(Number.parseInt(hex, 16));
        i += 6;
      }
      from = i;
    }
  }
  number(): number | bigint | JsonFloat {
    const b = this.bytes,
      start = this.at;
    let i = start;
    if (b[i] === 45) i++;
    if (!isDigit(b[i]))
      this.fail(
        `Unexpected character ('${this.latin1(i, i + 1)}' (code ${b[i] ?? 0})) in numeric value: expected digit (0-9) to follow minus sign, for valid numeric value`,
      );
    let n = 0;
    const first = i;
    for (let c = b[i]; isDigit(c); c = b[++i]) n = n * 10 + (c - 48);
    const c = b[i];
    if (c === 46 || c === 101 || c === 69) return this.float(start, i);
    this.at = i;
    this.endOfNumber();
    if (i - first < 16) return b[start] === 45 ? 0 - n : n;
    const exact = BigInt(b.latin1Slice(first, i));
    const signed = b[start] === 45 ? -exact : exact;
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }
  float(start: number, from: number): JsonFloat {
    const m = /^(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(this.latin1(from, from + 1100));
    if (m === null || m[0] === "")
      this.fail("Unexpected character in numeric value: decimal point or exponent must be followed by a digit");
    this.at = from + m[0].length;
    this.endOfNumber();
    return new JsonFloat(this.bytes.latin1Slice(start, this.at));
  }
  endOfNumber(): void {
    const c = this.bytes[this.at];
    if (c === undefined || isSpace(c) || c === 44 || c === 93 || c === 125) return;
    this.fail(`Unexpected character ('${String.fromCharCode(c)}' (code ${c})): Expected space separating root-level values`);
  }
  deeper(): void {
    if (++this.#depth > MAX_DEPTH)
      this.fail(
        `Document nesting depth (${this.#depth}) exceeds the maximum allowed (${MAX_DEPTH}, from \`StreamReadConstraints.getMaxNestingDepth()\`)`,
      );
  }
  array(): JsonNode[] {
    this.deeper();
    this.at++;
    const items: JsonNode[] = [];
    if (this.space() === 0x5d) this.at++;
    else
      for (;;) {
        items.push(this.value());
        const c = this.space();
        this.at++;
        if (c === 0x5d) break;
        if (c !== 0x2c) this.separator(c, "Array");
      }
    this.#depth--;
    return items;
  }
  separator(c: number | undefined, kind: "Array" | "Object"): never {
    this.at--;
    if (c === undefined) this.fail(`Unexpected end-of-input: expected close marker for ${kind}`);
    this.fail(`Unexpected character ('${String.fromCharCode(c)}' (code ${c})): was expecting comma to separate ${kind} entries`);
  }
  object(): JsonObject {
    this.deeper();
    this.at++;
    const object: JsonObject = new Map();
    if (this.space() === 0x7d) this.at++;
    else
      for (;;) {
        const quote = this.space();
        if (quote !== 0x22) {
          if (quote === undefined) this.fail("Unexpected end-of-input: expected close marker for Object");
          this.fail(
            `Unexpected character ('${String.fromCharCode(quote)}' (code ${quote})): was expecting double-quote to start field name`,
          );
        }
        const name = this.string();
        if (this.space() !== 0x3a) this.fail("Unexpected character: was expecting a colon to separate field name and value");
        this.at++;
        object.set(name, this.value());
        const c = this.space();
        this.at++;
        if (c === 0x7d) break;
        if (c !== 0x2c) this.separator(c, "Object");
      }
    this.#depth--;
    return object;
  }
}
export const nodeType = (n: JsonNode | undefined): string => {
  if (n === undefined) return "MISSING";
  if (n === null) return "NULL";
  if (typeof n === "string") return "STRING";
  if (typeof n === "boolean") return "BOOLEAN";
  if (Array.isArray(n)) return "ARRAY";
  return n instanceof Map ? "OBJECT" : "NUMBER";
};
