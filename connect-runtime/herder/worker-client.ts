/** Requests to another worker's REST server: forwarded ones, and the signed internal ones. */
import type { SessionKey } from "../store/config-records.ts";
import { RestError } from "./errors.ts";
import { signedHeaders } from "./session.ts";

export interface WorkerAnswer {
  readonly status: number;
  readonly body: string;
  readonly location: string | null;
}
export type WorkerRequest = (
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string | null,
  timeoutMs: number,
) => Promise<WorkerAnswer>;

export const requestWorker: WorkerRequest = async (method, url, headers, body, timeoutMs) => {
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(body === null ? {} : { "content-type": "application/json" }) },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, body: await response.text(), location: response.headers.get("location") };
  } catch (error) {
    throw new RestError(500, `IO Error trying to forward REST request: ${error instanceof Error ? error.message : String(error)}`, error);
  }
};
const INTERNAL_TIMEOUT_MS = 30_000;

/**
 * Signed with the session key when there is one. Throws RestError with the other worker's answer; with status 503 for an answer that is not
 * Connect's: a worker on its way up or down has its server's own, a 404 for all paths among them, which say nothing of the connector.
 */
export async function internalRequest(
  send: WorkerRequest,
  method: string,
  url: string,
  body: string,
  session: { readonly key: SessionKey; readonly algorithm: string } | null,
): Promise<void> {
  const headers = session === null ? {} : signedHeaders(session.key, session.algorithm, Buffer.from(body));
  const answer = await send(method, url, headers, body, INTERNAL_TIMEOUT_MS);
  if (answer.status < 400) return;
  if (isConnectError(answer.body)) throw new RestError(answer.status, messageOf(answer.body));
  throw new RestError(503, `${method} ${url} was answered with ${answer.status}, and not by Connect: ${answer.body.slice(0, 200)}`);
}
function isConnectError(body: string): boolean {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null && "error_code" in parsed;
  } catch {
    return false;
  }
}
/** `message` of an error body, else the body. */
export function messageOf(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed && typeof parsed.message === "string") return parsed.message;
  } catch {
    // Not JSON: the text itself is the message.
  }
  return body;
}
