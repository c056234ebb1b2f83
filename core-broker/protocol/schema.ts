/**
 * The language in which messages are declared. A shape is an object whose key order is the wire order; every field
 * says the versions it is present in. One static type is inferred for all versions: fields absent on the wire get their
 * default. Source of the rules: Kafka protocol guide, KIP-482 (flexible versions, tagged fields).
 *
 * int64 decodes to a JavaScript number and saturates at ±(2^53-1): offsets, timestamps and producer ids never come near,
 * and "for ever" sentinels (Long.MAX_VALUE) stay "for ever".
 */
export type ScalarKind =
  | "bool"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint16"
  | "uint32"
  | "float64"
  | "string"
  | "uuid"
  | "bytes"
  | "records";

export interface FieldOptions<T> {
  /** First version that carries the field. Absent: the message's first version. */
  readonly since?: number;
  /** Last version that carries the field. Absent: the message's last version. */
  readonly until?: number;
  /** true: null is allowed in all versions; a number: from that version on. */
  readonly nullable?: true | number;
  /** Tag number of a tagged field (flexible versions only); `since` is then the first version with the tag. */
  readonly tag?: number;
  /** First version in which the field is tagged, when it is an untagged field in older ones. Absent: always tagged. */
  readonly taggedSince?: number;
  /** Value on decode where the version lacks the field, and on encode where the caller gave none. Absent: the type's zero. */
  readonly default?: T | null;
  /** Encoding a non-default value in a version without the field drops it silently; otherwise it is an error. */
  readonly ignorable?: true;
  /** false: written in the old, non-compact form even in flexible versions (header client id). */
  readonly compact?: false;
}

/** A declared field; `_type` exists for inference only and is never set. */
export interface Field<T> extends FieldOptions<unknown> {
  readonly kind: ScalarKind | "array" | "struct";
  readonly of?: Field<unknown>;
  readonly shape?: Shape;
  readonly _type?: T;
}
export type Shape = { readonly [name: string]: Field<unknown> };

type OrNull<T, O> = O extends { readonly nullable: true | number } ? T | null : T;
/** What decoding yields: every field present. */
export type Decoded<S extends Shape> = { -readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };
/** What encoding takes: any field may be left out, its default is written then. */
export type Encodable<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer E)[]
    ? readonly Encodable<E>[]
    : T extends object
      ? { readonly [K in keyof T]?: Encodable<T[K]> | undefined }
      : T;

const scalar =
  <T>(kind: ScalarKind) =>
  <const O extends FieldOptions<T> = {}>(options?: O): Field<OrNull<T, O>> => ({ kind, ...options });

export const bool = scalar<boolean>("bool");
export const int8 = scalar<number>("int8");
export const int16 = scalar<number>("int16");
export const int32 = scalar<number>("int32");
export const int64 = scalar<number>("int64");
export const uint16 = scalar<number>("uint16");
export const float64 = scalar<number>("float64");
export const string = scalar<string>("string");
/** 16 bytes on the wire; here the 22-character unpadded base64url text that Kafka's tools print. */
export const uuid = scalar<string>("uuid");
/** A view on the frame, not a copy: valid as long as the frame is kept. */
export const bytes = scalar<Uint8Array>("bytes");
/** Record batches as they stand, never parsed here; a view on the frame. */
export const records = scalar<Uint8Array>("records");

export const struct = <S extends Shape, const O extends FieldOptions<never> = {}>(shape: S, options?: O): Field<OrNull<Decoded<S>, O>> => ({
  kind: "struct",
  shape,
  ...options,
});

/** `of` is a shape (array of structs) or a field made without options (array of scalars). */
export function array<S extends Shape, const O extends FieldOptions<never> = {}>(of: S, options?: O): Field<OrNull<Decoded<S>[], O>>;
export function array<T, const O extends FieldOptions<never> = {}>(of: Field<T>, options?: O): Field<OrNull<T[], O>>;
export function array(of: Shape | Field<unknown>, options?: FieldOptions<never>): Field<never> {
  const element: Field<unknown> = isField(of) ? of : { kind: "struct", shape: of };
  return { kind: "array", of: element, ...options };
}
function isField(of: Shape | Field<unknown>): of is Field<unknown> {
  return typeof of["kind"] === "string";
}

/** The zero UUID: "no topic id". */
export const ZERO_UUID = "AAAAAAAAAAAAAAAAAAAAAA";

export interface Api<Q extends Shape = Shape, R extends Shape = Shape> {
  readonly key: number;
  readonly name: string;
  /** Versions that we serve and send, inclusive. */
  readonly versions: readonly [first: number, last: number];
  /** First flexible version (KIP-482); null where there is none. */
  readonly flexible: number | null;
  readonly request: Q;
  readonly response: R;
}
export const api = <Q extends Shape, R extends Shape>(declaration: Api<Q, R>): Api<Q, R> => declaration;
export type RequestOf<A> = A extends Api<infer Q, Shape> ? Decoded<Q> : never;
export type ResponseOf<A> = A extends Api<Shape, infer R> ? Decoded<R> : never;

/** A record of an internal topic: version as int16 first, then the shape (coordinator records, metadata records). */
export interface RecordType<S extends Shape = Shape> {
  readonly name: string;
  /** The type id that stands in the key (coordinators) or before the value (metadata). */
  readonly type: number;
  readonly versions: readonly [first: number, last: number];
  readonly flexible: number | null;
  readonly shape: S;
}
export const record = <S extends Shape>(declaration: RecordType<S>): RecordType<S> => declaration;
export type RecordOf<R> = R extends RecordType<infer S> ? Decoded<S> : never;
