/** Paths to nested fields as in KIP-821: V1 takes the text as one name, V2 splits at dots, with backticks around names that have some. */
import type { ConfigKey } from "#connect/api/config";
import { oneOfIgnoringCase } from "#connect/api/config-checks";
import { ConfigError, DataError } from "#connect/api/errors";
import type { Schema, SchemaField } from "#connect/api/schema";
import type { Struct } from "#connect/api/struct";
import type { ConnectMap, ConnectValue } from "#connect/api/value";
import { requireMapOrNull, requireStructOrNull, slotOf } from "./side.ts";

export const syntaxVersionKey: ConfigKey = {
  name: "field.syntax.version",
  type: "STRING",
  default: "V1",
  importance: "HIGH",
  doc: "V1 takes a field name literally; V2 reads dots as steps into nested structs or maps, backticks quote names with dots.",
  check: oneOfIgnoringCase("V1", "V2"),
};
const incomplete = (path: string, at: number): ConfigError =>
  new ConfigError(
    `Incomplete backtick pair in path: [${path}], consider adding a backslash before backtick at position ${at} to escape it`,
  );

/** The name between backticks whose opening one is at `open`, and the index of the closing one. */
function quotedStep(path: string, open: number): [name: string, close: number] {
  let name = "",
    from = open + 1;
  for (let at = path.indexOf("`", from); at >= 0; at = path.indexOf("`", at + 1)) {
    const last = at === path.length - 1;
    const escaped = path[at - 1] === "\\";
    if (!last && path[at + 1] !== ".") continue;
    if (!escaped) return [name + path.slice(from, at), at];
    if (last) break;
    name += `${path.slice(from, at - 1)}\``;
    from = at + 1;
  }
  throw incomplete(path, open);
}
function steps(path: string): string[] {
  const found: string[] = [];
  let at = 0;
  while (at < path.length) {
    if (path[at] === "`") {
      const [name, close] = quotedStep(path, at);
      found.push(name);
      at = close + 2;
    } else {
      const dot = path.indexOf(".", at);
      found.push(path.slice(at, dot < 0 ? undefined : dot));
      at = dot < 0 ? path.length : dot + 1;
    }
  }
  if (path.endsWith(".")) found.push("");
  return found;
}

export class FieldPath {
  readonly steps: readonly string[];
  /** Throws ConfigError for an open backtick. */
  constructor(path: string, version: string) {
    this.steps = version.toUpperCase() === "V2" ? steps(path) : [path];
  }
  /** The field's declaration, or null where a step is missing. */
  fieldIn(schema: Schema): SchemaField | null {
    let current: Schema = schema,
      field: SchemaField | undefined;
    for (const step of this.steps) {
      if (current.type !== "STRUCT") throw new DataError("Cannot look up fields on non-struct type");
      field = current.byName.get(step);
      if (field === undefined) return null;
      current = field.schema;
    }
    return field ?? null;
  }
  inStruct(struct: Struct, withDefault = true): ConnectValue {
    let current: ConnectValue = struct,
      schema: Schema | null = struct.schema;
    for (const step of this.steps) {
      const s: Struct | null = requireStructOrNull(current, "nested field access", schema);
      if (s === null) return null;
      const field = s.field(step);
      current = slotOf(s, field.index, field.schema, withDefault);
      schema = field.schema;
    }
    return current;
  }
  inMap(map: ConnectMap): ConnectValue {
    let current: ConnectValue = map;
    for (const step of this.steps) {
      const m = requireMapOrNull(current, "nested field access");
      if (m === null) return null;
      current = m.get(step) ?? null;
    }
    return current;
  }
}
