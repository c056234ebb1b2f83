/** pgvector's types, from their text forms: `[1,2.5]`, and of sparse ones `{1:1,3:2}/5`. */
import type { RawColumn } from "#connect/api/raw-row";
import type { Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import { ascii } from "../cdc/cell-bytes.ts";
import * as semantic from "../cdc/semantic-types.ts";
import type { ColumnType } from "./column-type.ts";

function vectorType(shape: semantic.Shape, number: (text: string) => number): ColumnType {
  const decode: RawColumn["decode"] = (b, start, end) =>
    ascii(b, start + 1, end - 1)
      .split(",")
      .map(number);
  return { shape, raw: { form: "decode", decode }, neutral: [], unavailable: null };
}
export const doubleVectorType = vectorType(semantic.doubleVector, Number);
export const floatVectorType = vectorType(semantic.floatVector, (text) => Math.fround(Number(text)));

const INT16_MAX = 32_767;
/** As Java's HashMap<Short, …> of that size gives them: by bucket, for indexes below 65,536 the index modulo the table's size. */
function inShortOrder(pairs: readonly (readonly [number, number])[]): ReadonlyMap<number, number> {
  let size = 1;
  while (size < pairs.length) size *= 2;
  if (pairs.length > size * 0.75) size *= 2;
  const mask = size - 1;
  return new Map([...pairs].sort(([a], [b]) => (a & mask) - (b & mask)));
}
function sparseColumn(schema: Schema): { readonly raw: RawColumn; readonly neutral: ConnectValue } {
  const raw: RawColumn = {
    form: "decode",
    decode(b, start, end) {
      const [list = "", dimensions = ""] = ascii(b, start, end).split("/");
      const pairs = list
        .slice(1, -1)
        .split(",")
        .map((pair): readonly [number, number] => {
          const [index = "", value = "NaN"] = pair.split(":");
          return [Number(index), Number(value)];
        });
      // The reference has no value for a vector of zeros, nor for one whose dimensions are no INT16.
      if (Number(dimensions) > INT16_MAX || list === "{}") return null;
      return new Struct(schema, [Number(dimensions), inShortOrder(pairs)]);
    },
  };
  return { raw, neutral: new Struct(schema, [0, new Map()]) };
}
export const sparseVectorType: ColumnType = {
  shape: semantic.sparseVector,
  ...sparseColumn(semantic.sparseVector({})),
  bind: sparseColumn,
  unavailable: null,
};
