/**
 * Requests and responses as frames: a 4-byte size, a header, a body. Header versions: request header 2 for flexible
 * bodies, else 1; response header 1 for flexible bodies, else 0 — ApiVersions always 0, because the asker does not know yet
 * what the answerer speaks (KIP-511). Codecs are compiled on first use, per API, version and direction.
 */
import { apiByKey } from "./apis.ts";
import { compileDecoder, compileEncoder, type Decode, type Encode } from "./compile.ts";
import { ProtocolError } from "./errors.ts";
import { Reader } from "./reader.ts";
import type { Api, Encodable, RequestOf, ResponseOf } from "./schema.ts";
import { Writer } from "./writer.ts";

const API_VERSIONS = 18;

interface Codecs {
  readonly requestDecoders: (Decode | undefined)[];
  readonly requestEncoders: (Encode | undefined)[];
  readonly responseDecoders: (Decode | undefined)[];
  readonly responseEncoders: (Encode | undefined)[];
}
const compiled = new WeakMap<Api, Codecs>();
function codecs(api: Api): Codecs {
  let entry = compiled.get(api);
  if (entry === undefined) {
    entry = { requestDecoders: [], requestEncoders: [], responseDecoders: [], responseEncoders: [] };
    compiled.set(api, entry);
  }
  return entry;
}
const layout = (api: Api, version: number): { version: number; flexible: boolean } => ({
  version,
  flexible: api.flexible !== null && version >= api.flexible,
});
function requireVersion(api: Api, version: number): void {
  if (version < api.versions[0] || version > api.versions[1]) throw new ProtocolError(`${api.name} has no version ${version}`);
}

export interface RequestPeek {
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
}
/** The fixed head of a request (frame without its size). Throws ProtocolError when even that is missing. */
export function peekRequest(frame: Buffer): RequestPeek {
  if (frame.length < 8) throw new ProtocolError(`a request of ${frame.length} bytes has no header`);
  return { apiKey: frame.readInt16BE(0), version: frame.readInt16BE(2), correlationId: frame.readInt32BE(4) };
}

export interface DecodedRequest {
  readonly api: Api;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly body: unknown;
}
/** Throws ProtocolError for unknown APIs and versions (ask `peekRequest` first where that needs an answer) and bad bytes. */
export function decodeRequest(frame: Buffer): DecodedRequest {
  const { apiKey, version, correlationId } = peekRequest(frame);
  const api = apiByKey.get(apiKey);
  if (api === undefined) throw new ProtocolError(`unknown API key ${apiKey}`);
  requireVersion(api, version);
  const reader = new Reader(frame, 8);
  const length = reader.int16();
  const clientId = length < 0 ? null : reader.text(length);
  const form = layout(api, version);
  if (form.flexible) reader.skipTags();
  const cache = codecs(api).requestDecoders;
  const decode = (cache[version] ??= compileDecoder(api.request, form, api.name));
  return { api, version, correlationId, clientId, body: decode(reader) };
}

/** A whole frame with its size. Throws TypeError when the body cannot be said in this version. */
export function encodeRequest<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: Encodable<RequestOf<A>>,
): Buffer {
  return Buffer.concat(encodeRequestParts(api, version, correlationId, clientId, body));
}
/** As encodeRequest, large byte fields uncopied. */
export function encodeRequestParts<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: Encodable<RequestOf<A>>,
): Buffer[] {
  requireVersion(api, version);
  const form = layout(api, version);
  const writer = new Writer();
  writer.int32(0);
  writer.int16(api.key);
  writer.int16(version);
  writer.int32(correlationId);
  writer.string(clientId, false);
  if (form.flexible) writer.uvarint(0);
  const cache = codecs(api).requestEncoders;
  (cache[version] ??= compileEncoder(api.request, form, api.name))(writer, body);
  return sized(writer);
}

const responseHeaderHasTags = (api: Api, flexible: boolean): boolean => flexible && api.key !== API_VERSIONS;

export function encodeResponse<A extends Api>(api: A, version: number, correlationId: number, body: Encodable<ResponseOf<A>>): Buffer {
  return Buffer.concat(encodeResponseParts(api, version, correlationId, body));
}
/** As encodeResponse, large byte fields (record batches) uncopied: the list goes to the socket as one writev. */
export function encodeResponseParts<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  body: Encodable<ResponseOf<A>>,
): Buffer[] {
  requireVersion(api, version);
  const form = layout(api, version);
  const writer = new Writer();
  writer.int32(0);
  writer.int32(correlationId);
  if (responseHeaderHasTags(api, form.flexible)) writer.uvarint(0);
  const cache = codecs(api).responseEncoders;
  (cache[version] ??= compileEncoder(api.response, form, api.name))(writer, body);
  return sized(writer);
}
function sized(writer: Writer): Buffer[] {
  const size = writer.length - 4;
  const parts = writer.parts();
  parts[0]?.writeInt32BE(size, 0);
  return parts;
}

export interface DecodedResponse<A> {
  readonly correlationId: number;
  readonly body: ResponseOf<A>;
}
/** `frame` without its size; `version` is that of the request it answers. */
export function decodeResponse<A extends Api>(api: A, version: number, frame: Buffer): DecodedResponse<A> {
  requireVersion(api, version);
  const form = layout(api, version);
  const reader = new Reader(frame);
  const correlationId = reader.int32();
  if (responseHeaderHasTags(api, form.flexible)) reader.skipTags();
  const cache = codecs(api).responseDecoders;
  const decode = (cache[version] ??= compileDecoder(api.response, form, api.name));
  // The decoder was compiled from this very shape.
  return { correlationId, body: decode(reader) as ResponseOf<A> };
}
