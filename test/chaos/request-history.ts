/** What requests for one thing may have left behind, as clients that ask at the same time can know it. */

export interface Request<T> {
  readonly outcome: T;
  readonly began: number;
  /** Infinity until a clear answer has come: the request may be carried out at any time, also after later ones. */
  ended: number;
}
/**
 * Requests that overlap have no order that a client could know; one that began after another was answered comes after it. So an
 * outcome is ruled out by an acknowledged request that began after its own answer, and by nothing else. Begins and answers are
 * numbered in the order they were seen.
 */
export class RequestHistory<T> {
  #now = 0;
  #requests: Request<T>[];
  /** Begin of the acknowledged request that began last. */
  #settled = 0;

  constructor(initial: T) {
    this.#requests = [{ outcome: initial, began: 0, ended: 0 }];
  }
  begin(outcome: T): Request<T> {
    const request: Request<T> = { outcome, began: ++this.#now, ended: Number.POSITIVE_INFINITY };
    this.#requests.push(request);
    return request;
  }
  acknowledged(request: Request<T>): void {
    request.ended = ++this.#now;
    this.#settled = Math.max(this.#settled, request.began);
    this.#requests = this.#requests.filter((r) => r.ended > this.#settled);
  }
  /** It has changed nothing. */
  refused(request: Request<T>): void {
    this.#requests = this.#requests.filter((r) => r !== request);
  }
  /** Any of these may hold. */
  get possible(): readonly T[] {
    return this.#requests.map((r) => r.outcome);
  }
}
