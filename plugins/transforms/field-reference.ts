/** References to metadata of a change event as in Debezium's `add.fields`: `op`, `source.ts_ms`, `transaction.id:txid`. */
import { withOptions, type Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { basicsOf } from "#connect/api/struct-builder";
import type { ConnectValue } from "#connect/api/value";
import { commaList, javaError } from "./debezium.ts";
import { splitPair } from "./side.ts";

const TRANSACTION_FIELDS: ReadonlySet<string> = new Set(["id", "data_collection_order", "total_order"]);
const ENVELOPE_FIELDS: ReadonlySet<string> = new Set(["op", "ts_ms", "ts_us", "ts_ns"]);
/** Where a name without a dot stands; null is the envelope itself. */
function homeOf(field: string): string | null {
  if (TRANSACTION_FIELDS.has(field)) return "transaction";
  if (ENVELOPE_FIELDS.has(field)) return null;
  return field === "updateDescription" ? field : "source";
}
export class FieldReference {
  readonly struct: string | null;
  readonly field: string;
  readonly newName: string;

  constructor(prefix: string, text: string) {
    const [path = "", rename, ...rest] = splitPair(text);
    if (rest.length > 0) throw javaError("IllegalArgumentException", `Unexpected field name: ${text}`);
    const [first = "", second] = path.split(".");
    this.field = second ?? first;
    this.struct = second === undefined ? homeOf(first) : first;
    this.newName = prefix + (rename ?? (second === undefined ? first : `${first}_${second}`));
  }
  /** The field's schema made optional; null where the event has no such field. */
  schemaIn(envelope: Schema): Schema | null {
    const home = this.struct === null ? envelope : envelope.byName.get(this.struct)?.schema;
    if (home === undefined)
      throw javaError("NullPointerException", `Cannot invoke "Field.schema()": the event has no struct ${this.struct ?? ""}`);
    const found = home.byName.get(this.field) ?? envelope.byName.get(this.field);
    return found === undefined ? null : withOptions(found.schema, { ...basicsOf(found.schema), optional: true, default: undefined });
  }
  valueIn(event: Struct): ConnectValue {
    const home = this.struct === null ? event : event.getWithoutDefault(this.struct);
    if (!(home instanceof Struct)) return null;
    return home.schema.byName.has(this.field) ? home.getWithoutDefault(this.field) : event.getWithoutDefault(this.field);
  }
}
export const fieldReferences = (prefix: string, list: string): readonly FieldReference[] =>
  commaList(list).map((text) => new FieldReference(prefix, text));
