/** Requests that another worker has to answer are sent on, at most twice (Kafka Connect's two hops). */
import { conflict, type ElsewhereError, NO_LEADER, RestError, TOO_MANY_HOPS } from "../herder/errors.ts";
import { ALGORITHM_HEADER, SIGNATURE_HEADER } from "../herder/session.ts";
import { messageOf, type WorkerRequest } from "../herder/worker-client.ts";
import type { Answer, RestRequest } from "./route.ts";

const FORWARD_TIMEOUT_MS = 90_000;
/** Headers that the other worker must see. */
const PASSED_ON = [SIGNATURE_HEADER, ALGORITHM_HEADER, "Authorization"];

export async function forwardRequest(request: RestRequest, elsewhere: ElsewhereError, send: WorkerRequest): Promise<Answer> {
  if (elsewhere.url === null || elsewhere.url === "") throw conflict(NO_LEADER);
  const forward = request.query["forward"]?.[0];
  if (forward === "false") throw conflict(TOO_MANY_HOPS);
  const url = new URL(request.path, elsewhere.url);
  for (const [name, values] of Object.entries(request.query)) {
    if (name !== "forward") for (const value of values) url.searchParams.append(name, value);
  }
  // A first hop may lead to another one; the second is the last.
  url.searchParams.set("forward", forward === undefined ? "true" : "false");
  const headers: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = request.headers[name.toLowerCase()];
    if (value !== undefined) headers[name] = value;
  }
  const body = request.body.length === 0 ? null : Buffer.from(request.body).toString();
  const answer = await send(request.method, url.href, headers, body, FORWARD_TIMEOUT_MS);
  if (answer.status >= 400) throw new RestError(answer.status, messageOf(answer.body));
  return {
    status: answer.status,
    ...(answer.body === "" ? {} : { body: JSON.parse(answer.body) }),
    ...(answer.location === null ? {} : { location: answer.location }),
  };
}
