/** JSON as Kafka Connect speaks it: 64-bit integers stay exact both ways. */
import { badRequest } from "../herder/errors.ts";

/**
 * Numbers that a double cannot hold become bigint; with `asWritten` each number is the text that stands in the body, as Kafka takes
 * it for a string. Throws RestError(400): Kafka answers 500 here, for a client's mistake.
 */
export function parseJson(body: Uint8Array, asWritten = false): unknown {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  if (text.trim() === "") return null;
  try {
    return asWritten ? JSON.parse(text, writtenNumbers) : exactJson(text);
  } catch (error) {
    throw badRequest(`The request's body is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
/** Integers beyond 2^53 become bigint. Throws SyntaxError. */
export const exactJson = (text: string): unknown => JSON.parse(text, exactIntegers);
function exactIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || Number.isSafeInteger(value) || source === undefined || !/^-?\d+$/.test(source)) return value;
  return BigInt(source);
}
function writtenNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === "number" ? (context?.source ?? String(value)) : value;
}
/** A newer member of JSON than the type library knows. */
const rawJson: (text: string) => unknown = Reflect.get(JSON, "rawJSON");
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === "bigint" ? rawJson(v.toString()) : v), indent);
}
