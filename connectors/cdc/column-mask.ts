/** `column.mask.*` and `column.truncate.*`: values changed on their way out, with a trace in the schema's parameters. */
import { createHash } from "node:crypto";
import { ConfigError } from "#connect/api/errors";
import type { ConnectValue } from "#connect/api/value";
import { anyOf } from "./expressions.ts";
import type { Settings } from "./settings.ts";

export interface ColumnMask {
  readonly parameters: Readonly<Record<string, string>>;
  /** Cuts values to so many characters or bytes; null: it does something else, to text columns only. */
  readonly cutsTo: number | null;
  /** `length`: the column's declared length, to which hashes are cut; null: none. */
  apply(value: ConnectValue, length: number | null): ConnectValue;
}
interface Rule {
  readonly matches: (column: string) => boolean;
  readonly mask: ColumnMask;
}

/** What java.io.ObjectOutputStream writes for a String: the first version of hashing is over these bytes. */
function serialized(text: string): Buffer {
  const bytes = modifiedUtf8(text);
  const long = bytes.length > 0xffff;
  const head = Buffer.alloc(long ? 13 : 7);
  head.writeUInt32BE(0xaced0005, 0);
  head[4] = long ? 0x7c : 0x74;
  if (long) head.writeBigUInt64BE(BigInt(bytes.length), 5);
  else head.writeUInt16BE(bytes.length, 5);
  return Buffer.concat([head, bytes]);
}
/** Java writes surrogates one by one, three bytes each, and NUL in two. */
function modifiedUtf8(text: string): Buffer {
  if (!/[\ud800-\udfff]/.test(text) && !text.includes("\0")) return Buffer.from(text, "utf8");
  const out: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 0 && c < 0x80) out.push(c);
    else if (c < 0x800) out.push(0xc0 | (c >> 6), 0x80 | (c & 63));
    else out.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
  }
  return Buffer.from(out);
}

function hashMask(algorithm: string, salt: string, bytesOf: (text: string) => Buffer): ColumnMask {
  const name = algorithm.toLowerCase().replace(/^sha-(\d+)$/, "sha$1");
  try {
    createHash(name);
  } catch (cause) {
    throw new ConfigError(`The hash algorithm '${algorithm}' of column.mask.hash is not known`, cause);
  }
  return {
    parameters: { masked: "true" },
    cutsTo: null,
    apply(value, length) {
      if (typeof value !== "string") return value;
      const hash = createHash(name).update(salt, "utf8").update(bytesOf(value)).digest("hex");
      return length === null ? hash : hash.slice(0, length);
    },
  };
}

/** The first rule that matches decides. */
export function columnMasks(settings: Settings): (schema: string, table: string, column: string) => ColumnMask | null {
  const rules: Rule[] = [];
  const add = (list: string, setting: string, mask: ColumnMask): void => {
    const matches = anyOf(list, setting);
    if (matches !== null) rules.push({ matches, mask });
  };
  for (const { match, value } of settings.matching(/^column\.truncate\.to\.(\d+)\.chars$/)) {
    const length = Number(match[1]);
    add(value, match[0], {
      parameters: { truncateLength: String(length) },
      cutsTo: length,
      apply: (v) => ((typeof v === "string" || v instanceof Uint8Array) && v.length > length ? v.slice(0, length) : v),
    });
  }
  for (const { match, value } of settings.matching(/^column\.mask\.with\.(\d+)\.chars$/)) {
    const stars = "*".repeat(Number(match[1]));
    add(value, match[0], { parameters: { masked: "true" }, cutsTo: null, apply: () => stars });
  }
  for (const { match, value } of settings.matching(/^column\.mask\.hash\.(v2\.)?([^.]+)\.with\.salt\.(.+)$/)) {
    const bytesOf = match[1] === undefined ? serialized : (text: string): Buffer => Buffer.from(text, "utf8");
    add(value, match[0], hashMask(match[2] ?? "", match[3] ?? "", bytesOf));
  }
  return (schema, table, column) => rules.find((r) => r.matches(`${schema}.${table}.${column}`))?.mask ?? null;
}
