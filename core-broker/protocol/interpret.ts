/** The twin of compile.ts without code generation: slower, obviously right, the oracle of the property tests. */
import { ProtocolError } from "./errors.ts";
import { defaultOf, isCompact, isDefault, isNullable, isPresent, isTagged, type Layout } from "./layout.ts";
import type { Reader } from "./reader.ts";
import { type Field, type Shape, ZERO_UUID } from "./schema.ts";
import { Writer } from "./writer.ts";

export function interpretDecoder(shape: Shape, layout: Layout, path: string): (reader: Reader) => unknown {
  return (reader) => readStruct(reader, shape, layout, path);
}
export function interpretEncoder(shape: Shape, layout: Layout, path: string): (writer: Writer, value: unknown) => void {
  return (writer, value) => writeStruct(writer, shape, layout, path, value);
}

function readStruct(reader: Reader, shape: Shape, layout: Layout, path: string): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(shape)) {
    const onWire = isPresent(field, layout.version) && !isTagged(field, layout);
    result[name] = onWire ? readField(reader, field, layout, `${path}.${name}`) : defaultOf(field);
  }
  if (!layout.flexible) return result;
  for (let n = reader.uvarint(); n > 0; n--) {
    const tag = reader.uvarint();
    const size = reader.uvarint();
    const start = reader.position;
    if (size > reader.remaining) reader.take(size);
    const known = Object.entries(shape).find(([, f]) => f.tag === tag && isPresent(f, layout.version) && isTagged(f, layout));
    if (known === undefined) reader.take(size);
    else result[known[0]] = readField(reader, known[1], layout, `${path}.${known[0]}`);
    if (reader.position !== start + size) throw new ProtocolError(`tagged field of ${path} has the wrong size`);
  }
  return result;
}

function readField(reader: Reader, field: Field<unknown>, layout: Layout, path: string): unknown {
  const compact = isCompact(field, layout);
  const missing = (): null => (isNullable(field, layout.version) ? null : reader.fail(path));
  switch (field.kind) {
    case "string": {
      const n = reader.stringLength(compact);
      return n < 0 ? missing() : reader.text(n);
    }
    case "bytes":
    case "records": {
      const n = reader.length(compact);
      return n < 0 ? missing() : reader.view(n);
    }
    case "array": {
      const n = reader.count(compact);
      return n < 0 ? missing() : Array.from({ length: n }, () => readField(reader, field.of ?? field, layout, path));
    }
    case "struct":
      if (isNullable(field, layout.version) && reader.int8() < 0) return null;
      return readStruct(reader, field.shape ?? {}, layout, path);
    default:
      return reader[field.kind]();
  }
}

function writeStruct(writer: Writer, shape: Shape, layout: Layout, path: string, value: unknown): void {
  const object: Record<string, unknown> = typeof value === "object" && value !== null ? { ...value } : {};
  const tagged: [Field<unknown>, unknown, string][] = [];
  for (const [name, field] of Object.entries(shape)) {
    const at = `${path}.${name}`;
    const given = object[name];
    if (!isPresent(field, layout.version)) {
      if (field.ignorable !== true && !isDefault(field, given)) throw new TypeError(`${at} cannot be expressed in this version`);
    } else if (isTagged(field, layout)) {
      if (!isDefault(field, given)) tagged.push([field, given, at]);
    } else writeField(writer, field, layout, at, given === undefined ? defaultOf(field) : given);
  }
  if (!layout.flexible) return;
  writer.uvarint(tagged.length);
  for (const [field, given, at] of tagged.sort((a, b) => (a[0].tag ?? 0) - (b[0].tag ?? 0))) {
    const inner = new Writer();
    writeField(inner, field, layout, at, given);
    const bytes = inner.concat();
    writer.uvarint(field.tag ?? 0);
    writer.uvarint(bytes.length);
    writer.raw(bytes);
  }
}

function writeField(writer: Writer, field: Field<unknown>, layout: Layout, path: string, value: unknown): void {
  const compact = isCompact(field, layout);
  const nullable = isNullable(field, layout.version);
  if (value === null && !nullable) throw new TypeError(`${path} must not be null`);
  switch (field.kind) {
    case "string":
      return writer.string(typeof value === "string" ? value : null, compact);
    case "bytes":
    case "records":
      return writer.bytes(value instanceof Uint8Array ? value : null, compact);
    case "uuid":
      return writer.uuid(typeof value === "string" ? value : ZERO_UUID);
    case "bool":
      return writer.bool(value === true);
    case "array": {
      const items = Array.isArray(value) ? value : null;
      if (compact) writer.uvarint(items === null ? 0 : items.length + 1);
      else writer.int32(items === null ? -1 : items.length);
      for (const item of items ?? []) writeField(writer, field.of ?? field, layout, path, item);
      return;
    }
    case "struct":
      if (nullable) writer.int8(value === null ? -1 : 1);
      if (value !== null) writeStruct(writer, field.shape ?? {}, layout, path, value);
      return;
    default:
      return writer[field.kind](Number(value));
  }
}
