/** Which kinds of content a request may have and ask for, as JAX-RS decides it for Kafka Connect's resources. */
import type { Route } from "./route.ts";

/** Resources that say nothing of what they take. */
const TAKE_ANYTHING: ReadonlySet<string> = new Set(["/", "/health", "/ready"]);
const MEDIA_TYPE = /^\s*[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+\s*(;\s*[\w!#$&^.+*-]+=("[^"]*"|[^\s;"]*)\s*)*$/;
const JSON_LIKE = /^\s*(application|\*)\/(json|\*)\s*(;|$)/i;

/** A content type is looked at whether or not there is content. Null: it may come in; else the status of the refusal. */
export function contentRefusal(route: Route, type: string | undefined): 400 | 415 | null {
  if (type === undefined || route.plain === true || TAKE_ANYTHING.has(route.path)) return null;
  if (!MEDIA_TYPE.test(type)) return 400;
  return JSON_LIKE.test(type) ? null : 415;
}
/** Whether the client takes JSON; a quality of 0 is no refusal there. */
export function acceptsJson(header: string | undefined): boolean {
  return header === undefined || header.trim() === "" || header.split(",").some((part) => JSON_LIKE.test(part));
}
