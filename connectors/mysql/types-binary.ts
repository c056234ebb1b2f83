/** BINARY, VARBINARY, BLOB, geometries and vectors. */
import type { RawColumn } from "#connect/api/raw-row";
import { primitive, type Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { binaryColumn, binaryText } from "../cdc/binary-text.ts";
import { shortestFloat } from "../cdc/decimal-text.ts";
import * as semantic from "../cdc/semantic-types.ts";
import type { Codecs, ColumnType, TypeModes } from "./column-type.ts";
import { decoded } from "./column-type.ts";
import { cellBytes, inflating } from "./compressed-cells.ts";

/** `fixed`: bytes of a BINARY column, whose zero bytes at the end the log leaves out; null: as many as there are. */
export function binaryType(fixed: number | null, modes: TypeModes): ColumnType {
  const asText = modes.binary !== "bytes";
  const raw = binaryColumn(modes.binary, (b, start, end) => cellBytes(b, start, end, fixed ?? end - start));
  return {
    shape: (options) => primitive(asText ? "STRING" : "BYTES", options),
    neutral: asText ? "" : Buffer.alloc(0),
    text: raw,
    binlog: (wire) => inflating(wire, raw),
    defaultOf: (t) => (asText ? binaryText(Buffer.from(t, "utf8"), modes.binary) : Buffer.from(t, "utf8")),
  };
}

/** SRID (4 bytes, little-endian; 0 is none) and well-known binary. */
const srid = (b: Uint8Array, start: number): number | null => {
  const value = Buffer.prototype.readUInt32LE.call(b, start);
  return value === 0 ? null : value | 0;
};
function geometryCodecs(schema: Schema): Codecs {
  const column = decoded((b, start, end) =>
    end - start < 5 ? null : new Struct(schema, [Buffer.from(b.subarray(start + 4, end)), srid(b, start)]),
  );
  return { text: column, binlog: () => column };
}
function pointCodecs(schema: Schema): Codecs {
  const column = decoded((b, start, end) => {
    if (end - start < 25) return null;
    const wkb = Buffer.from(b.subarray(start + 4, end));
    const x = wkb[0] === 1 ? wkb.readDoubleLE(5) : wkb.readDoubleBE(5),
      y = wkb[0] === 1 ? wkb.readDoubleLE(13) : wkb.readDoubleBE(13);
    return new Struct(schema, [x, y, wkb, srid(b, start)]);
  });
  return { text: column, binlog: () => column };
}
const GEOMETRY_SHAPE = semantic.geometry("Geometry");
export const geometryType: ColumnType = {
  shape: GEOMETRY_SHAPE,
  neutral: null,
  ...geometryCodecs(GEOMETRY_SHAPE({})),
  bind: geometryCodecs,
  defaultOf: () => undefined,
};
export const pointType: ColumnType = {
  shape: semantic.point,
  neutral: null,
  ...pointCodecs(semantic.point({})),
  bind: pointCodecs,
  defaultOf: () => undefined,
};

const FLOATS: RawColumn = decoded((b, start, end) => {
  const values: number[] = [];
  for (let i = start; i + 4 <= end; i += 4) values.push(shortestFloat(Buffer.prototype.readFloatLE.call(b, i)));
  return values;
});
export const vectorType: ColumnType = {
  shape: semantic.floatVector,
  neutral: [],
  text: FLOATS,
  binlog: () => FLOATS,
  defaultOf: () => undefined,
};
