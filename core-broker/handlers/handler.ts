/** What every request handler is: one API, one function. Handlers decode nothing and keep no state. */
import type { Rights } from "../controller/acls/rights.ts";
import type { Api, Encodable, RequestOf, ResponseOf } from "../protocol/schema.ts";

export interface Principal {
  readonly type: string;
  readonly name: string;
}
export interface RequestContext {
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly principal: Principal;
  /** What the principal may do from its address. */
  readonly rights: Rights;
  /** The peer's address as text, e.g. 127.0.0.1. */
  readonly host: string;
  readonly listener: string;
  /** Unique per connection, for caches that live as long as it (fetch sessions). */
  readonly connectionId: number;
  /** Aborted when the connection is closed: long polls and joins stop waiting. */
  readonly signal: AbortSignal;
}
/** Null: no response is sent (acks=0). */
export type HandlerResult<A> = Encodable<ResponseOf<A>> | null | Promise<Encodable<ResponseOf<A>> | null>;
export interface Handler {
  readonly api: Api;
  run(context: RequestContext, request: never): HandlerResult<Api>;
}
/** `A` is inferred from the declared api, so that request and response are typed by it. */
export function handler<A extends Api>(declared: A, run: (context: RequestContext, request: RequestOf<A>) => HandlerResult<A>): Handler {
  return { api: declared, run: run as Handler["run"] };
}
