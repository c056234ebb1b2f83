/** Character sets by the names that Java knows. What cannot be encoded becomes `?`, what cannot be decoded U+FFFD. */
export interface Charset {
  encode(text: string): Uint8Array;
  decode(bytes: Uint8Array): string;
}
const utf8: Charset = {
  encode: (text) => Buffer.from(text.isWellFormed() ? text : text.replace(/[\ud800-\udfff]/gu, "?")),
  // Values of consumed records are buffers already; making a second one takes as long as decoding a short text.
  decode: (bytes) => (bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).toString("utf8"),
};
function utf16(bigEndian: boolean, withMark: boolean): Charset {
  return {
    encode(text) {
      const bytes = Buffer.from(withMark && text !== "" ? `\ufeff${text}` : text, "utf16le");
      return bigEndian ? bytes.swap16() : bytes;
    },
    decode(bytes) {
      const little = withMark && bytes[0] === 0xff && bytes[1] === 0xfe;
      return new TextDecoder(bigEndian && !little ? "utf-16be" : "utf-16le", { ignoreBOM: !withMark }).decode(bytes);
    },
  };
}
/** Single-byte sets: the table of their 256 characters, U+FFFD where there is none. */
function singleByte(table: string): Charset {
  const codes = new Map(Array.from(table, (c, i) => [c, i] as const).filter(([c]) => c !== "\ufffd"));
  return {
    encode: (text) => Buffer.from(Array.from(text, (c) => codes.get(c) ?? 63)),
    decode(bytes) {
      let text = "";
      for (const b of bytes) text += table.charAt(b);
      return text;
    },
  };
}
const range = (n: number): string => String.fromCharCode(...Array.from({ length: n }, (_, i) => i));

/** Null: no such character set here. */
export function charset(name: string): Charset | null {
  switch (name.toUpperCase().replace(/_/g, "-")) {
    case "UTF-8":
    case "UTF8":
      return utf8;
    case "ISO-8859-1":
    case "ISO8859-1":
    case "LATIN1":
      return singleByte(range(256));
    case "US-ASCII":
    case "ASCII":
      return singleByte(range(128) + "\ufffd".repeat(128));
    case "UTF-16":
      return utf16(true, true);
    case "UTF-16BE":
      return utf16(true, false);
    case "UTF-16LE":
      return utf16(false, false);
    default:
  }
  if (!/^(windows-125\d|ISO-8859-\d+|KOI8-R|IBM866)$/i.test(name)) return null;
  try {
    return singleByte(new TextDecoder(name).decode(Buffer.from(Array.from({ length: 256 }, (_, i) => i))));
  } catch {
    return null;
  }
}
