/** What a CREATE TABLE or ALTER TABLE does, in the order of the text. */
import type { TableId } from "#connectors/cdc/table-model";
import type { CharsetChoice } from "./charset.ts";
import type { ColumnDraft } from "./column-definition.ts";

/** Null: where it is, or at the end. */
export type Place = { readonly after: string | null } | null;
export type Action =
  | { readonly kind: "add"; readonly column: ColumnDraft; readonly place: Place; readonly lenient: boolean }
  | {
      readonly kind: "change";
      readonly from: string;
      readonly column: ColumnDraft;
      readonly place: Place;
      readonly lenient: boolean;
      readonly keeps: boolean;
    }
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly lenient: boolean }
  | { readonly kind: "drop"; readonly name: string; readonly lenient: boolean }
  /** `value` undefined: DROP DEFAULT. */
  | { readonly kind: "default"; readonly name: string; readonly value: string | null | undefined; readonly lenient: boolean }
  | { readonly kind: "visibility"; readonly name: string; readonly invisible: boolean }
  | { readonly kind: "primary"; readonly columns: readonly string[] }
  | { readonly kind: "dropPrimary" }
  /** Null: it has expressions. */
  | { readonly kind: "unique"; readonly columns: readonly string[] | null }
  | { readonly kind: "period"; readonly name: string; readonly columns: readonly string[]; readonly lenient: boolean }
  | { readonly kind: "charset"; readonly choice: CharsetChoice; readonly convert: boolean }
  | { readonly kind: "comment"; readonly text: string }
  | { readonly kind: "versioning"; readonly on: boolean }
  | { readonly kind: "renameTable"; readonly to: TableId };
