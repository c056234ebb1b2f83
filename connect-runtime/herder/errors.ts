/** Errors that REST answers with, with Kafka Connect's status codes and texts. */
export class RestError extends Error {
  readonly status: number;
  constructor(status: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
  }
}
export const notFound = (message: string): RestError => new RestError(404, message);
export const badRequest = (message: string): RestError => new RestError(400, message);
export const conflict = (message: string): RestError => new RestError(409, message);

export const REBALANCE_EXPECTED =
  "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config change)";
export const NO_LEADER = "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.";
export const TOO_MANY_HOPS = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)";

/** Another worker has to do it. `url`: its REST address, null while nobody knows. */
export class ElsewhereError extends Error {
  readonly url: string | null;
  constructor(message: string, url: string | null) {
    super(message);
    this.url = url;
  }
}
