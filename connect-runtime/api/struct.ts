/**
 * A value of a STRUCT schema: one slot per field, by position. A struct may be backed by a raw row (text cells as the
 * database sent them): slots are then decoded only when somebody looks, and a converter that can copy the cells never
 * makes them objects. Whoever changes a slot makes the struct an ordinary one first (`put` does).
 */
import { DataError } from "./errors.ts";
import type { RawRow } from "./raw-row.ts";
import type { Schema, SchemaField } from "./schema.ts";
import type { ConnectValue } from "./value.ts";

export class Struct {
  readonly schema: Schema;
  /** Null once the cells have been decoded. Read by converters' fast path only. */
  raw: RawRow | null;
  /** Stands in many records and never changes: converters may keep its bytes. Nobody may change its slots. */
  readonly shared: boolean;
  #slots: ConnectValue[] | null;

  constructor(schema: Schema, slots: ConnectValue[] | null = null, raw: RawRow | null = null, shared = false) {
    this.schema = schema;
    this.raw = raw;
    this.shared = shared;
    this.#slots = slots;
  }
  /** The slots in field order. An absent optional field is null (its default is the converter's business). */
  get slots(): ConnectValue[] {
    if (this.#slots !== null) return this.#slots;
    const n = this.schema.fields.length;
    const slots: ConnectValue[] = new Array<ConnectValue>(n).fill(null);
    if (this.raw !== null) {
      for (let i = 0; i < n; i++) slots[i] = this.raw.decode(i);
      this.raw = null;
    }
    this.#slots = slots;
    return slots;
  }
  at(index: number): ConnectValue {
    return this.slots[index] ?? null;
  }
  field(name: string): SchemaField {
    const field = this.schema.byName.get(name);
    if (field === undefined) throw new DataError(`${name} is not a valid field name`);
    return field;
  }
  /** The value, or the schema's default where the slot is null. Throws DataError for an unknown name. */
  get(name: string): ConnectValue {
    const field = this.field(name);
    return this.at(field.index) ?? field.schema.default ?? null;
  }
  /** The value as it stands, without default. */
  getWithoutDefault(name: string): ConnectValue {
    return this.at(this.field(name).index);
  }
  put(name: string, value: ConnectValue): this {
    if (this.shared) throw new DataError("a struct that stands in several records cannot be changed");
    this.slots[this.field(name).index] = value;
    return this;
  }
}
