/** org.apache.kafka.connect.converters.{Short,Integer,Long,Float,Double,Boolean}Converter: big-endian numbers of fixed size. */
import type { ConfigDef } from "#connect/api/config";
import { oneOf } from "#connect/api/config-checks";
import { ConnectError, DataError } from "#connect/api/errors";
import { javaClass } from "#connect/api/java-text";
import type { Converter, ConverterPlugin, HeaderConverter, HeaderConverterPlugin } from "#connect/api/plugin";
import { primitive, type Schema } from "#connect/api/schema";
import { Boxed, type ConnectValue } from "#connect/api/value";

type NumberType = "INT16" | "INT32" | "INT64" | "FLOAT32" | "FLOAT64" | "BOOLEAN";
interface Shape {
  /** As in class names and messages. */
  readonly name: string;
  readonly deserializer: string;
  readonly type: NumberType;
  readonly size: number;
  write(bytes: Buffer, value: number | bigint): void;
  read(bytes: Buffer): ConnectValue;
}
const SHAPES: readonly Shape[] = [
  {
    name: "Short",
    deserializer: "ShortDeserializer",
    type: "INT16",
    size: 2,
    write: (b, v) => b.writeInt16BE(Number(BigInt.asIntN(16, whole(v)))),
    read: (b) => b.readInt16BE(),
  },
  {
    name: "Integer",
    deserializer: "IntegerDeserializer",
    type: "INT32",
    size: 4,
    write: (b, v) => b.writeInt32BE(Number(BigInt.asIntN(32, whole(v)))),
    read: (b) => b.readInt32BE(),
  },
  {
    name: "Long",
    deserializer: "LongDeserializer",
    type: "INT64",
    size: 8,
    write: (b, v) => b.writeBigInt64BE(BigInt.asIntN(64, whole(v))),
    read: (b) => b.readBigInt64BE(),
  },
  {
    name: "Float",
    deserializer: "Deserializer",
    type: "FLOAT32",
    size: 4,
    write: (b, v) => b.writeFloatBE(Number(v)),
    read: (b) => b.readFloatBE(),
  },
  {
    name: "Double",
    deserializer: "Deserializer",
    type: "FLOAT64",
    size: 8,
    write: (b, v) => b.writeDoubleBE(Number(v)),
    read: (b) => b.readDoubleBE(),
  },
  {
    name: "Boolean",
    deserializer: "BooleanDeserializer",
    type: "BOOLEAN",
    size: 1,
    write: (b, v) => b.writeUInt8(Number(v)),
    read: (b) => b[0] === 1,
  },
];
const whole = (v: number | bigint): bigint => (typeof v === "bigint" ? v : BigInt(Math.trunc(v)));
const JAVA_NAMES: Readonly<Record<NumberType, string>> = {
  INT16: "Short",
  INT32: "Integer",
  INT64: "Long",
  FLOAT32: "Float",
  FLOAT64: "Double",
  BOOLEAN: "Boolean",
};
/** Null: the value's Java class is another one. */
function numberOf(value: ConnectValue, schema: Schema | null, type: NumberType): number | bigint | null {
  if (javaClass(value, schema) !== `class java.lang.${JAVA_NAMES[type]}`) return null;
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "number" || typeof value === "bigint") return value;
  return value instanceof Boxed ? value.value : null;
}
const serializationError = (message: string): ConnectError =>
  new ConnectError(message, { javaClass: "org.apache.kafka.common.errors.SerializationException", causeClass: "data" });

function converterOf(shape: Shape): Converter & HeaderConverter {
  const lower = shape.name.toLowerCase();
  const schema = primitive(shape.type, { optional: true });
  const fromConnect = (_topic: string, given: Schema | null, value: ConnectValue): Uint8Array | null => {
    if (shape.type === "BOOLEAN" && given !== null && given.type !== "BOOLEAN")
      throw new DataError(`Invalid schema type for BooleanConverter: ${given.type}`);
    if (value === null) return null;
    const n = numberOf(value, given, shape.type);
    if (n === null) {
      if (shape.type === "BOOLEAN")
        throw new DataError(`BooleanConverter is not compatible with objects of type ${javaClass(value, given)}`);
      const cause = new ConnectError(`${javaClass(value, given)} cannot be cast to class java.lang.${JAVA_NAMES[shape.type]}`, {
        javaClass: "java.lang.ClassCastException",
        causeClass: "data",
      });
      throw new DataError(`Failed to serialize to ${lower} (was ${javaClass(value, given)}): `, cause);
    }
    const bytes = Buffer.alloc(shape.size);
    shape.write(bytes, n);
    return bytes;
  };
  const toConnect = (_topic: string, bytes: Uint8Array | null) => {
    if (bytes === null) return { schema, value: null };
    if (bytes.length !== shape.size || (shape.type === "BOOLEAN" && (bytes[0] ?? 0) > 1)) {
      const wrong =
        bytes.length !== shape.size
          ? `Size of data received by ${shape.deserializer} is not ${shape.size}`
          : `Unexpected byte received by BooleanDeserializer: ${((bytes[0] ?? 0) << 24) >> 24}`;
      throw new DataError(`Failed to deserialize ${lower}: `, serializationError(wrong));
    }
    return { schema, value: shape.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) };
  };
  return {
    fromConnect,
    toConnect,
    fromConnectHeader: (topic, _key, s, value) => fromConnect(topic, s, value),
    toConnectHeader: (topic, _key, bytes) => toConnect(topic, bytes),
  };
}
const config: ConfigDef = [
  {
    name: "converter.type",
    type: "STRING",
    importance: "LOW",
    doc: "Whether the converter serves keys, values or headers; the runtime sets it.",
    check: oneOf("key", "value", "header"),
  },
];
const named = (shape: Shape) => ({
  name: shape.name.toLowerCase(),
  classes: [`org.apache.kafka.connect.converters.${shape.name}Converter`],
  version: "4.1.0",
  config,
});
export const numberConverters: readonly ConverterPlugin[] = SHAPES.map((shape) => {
  const converter = converterOf(shape);
  return { kind: "converter", ...named(shape), create: () => converter };
});
export const numberHeaderConverters: readonly HeaderConverterPlugin[] = SHAPES.map((shape) => {
  const converter = converterOf(shape);
  return { kind: "header-converter", ...named(shape), create: () => converter };
});
