/** A struct schema put together field by field, refusing what SchemaBuilder refuses. */
import { SchemaBuilderError } from "./errors.ts";
import { structOf, type Schema, type SchemaOptions } from "./schema.ts";

export class StructBuilder {
  readonly #fields: [name: string, schema: Schema][] = [];
  readonly #names = new Set<string>();

  field(name: string, schema: Schema): this {
    if (name === "") throw new SchemaBuilderError("fieldName cannot be null.");
    if (this.#names.has(name)) throw new SchemaBuilderError(`Cannot create field because of field name duplication ${name}`);
    this.#names.add(name);
    this.#fields.push([name, schema]);
    return this;
  }
  has(name: string): boolean {
    return this.#names.has(name);
  }
  build(options: SchemaOptions = {}): Schema {
    return structOf(this.#fields, options);
  }
}
/** Name, version, doc, parameters, optionality and default of a schema (SchemaUtil.copySchemaBasics keeps these but optionality and default). */
export const basicsOf = (s: Schema): SchemaOptions => ({ name: s.name, version: s.version, doc: s.doc, parameters: s.parameters });
