/**
 * The bytes of requests that wait or are being assembled, and the number of those that wait, over all connections. When a bound is passed, connections stop
 * reading until some are answered; a frame that is alone is always let through, so that nothing can wedge.
 */
export class RequestMemory {
  readonly #bytesMax: number;
  readonly #requestsMax: number;
  #bytes = 0;
  #requests = 0;
  #waiting: (() => void)[] = [];
  constructor(bytesMax: number, requestsMax = Number.MAX_SAFE_INTEGER) {
    this.#bytesMax = bytesMax;
    this.#requestsMax = requestsMax;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get full(): boolean {
    return this.#bytes > this.#bytesMax || this.#requests > this.#requestsMax;
  }
  /** Requests that wait for their turn. */
  get requests(): number {
    return this.#requests;
  }
  take(bytes: number): void {
    this.#bytes += bytes;
  }
  give(bytes: number): void {
    this.#bytes -= bytes;
    this.#wake();
  }
  enter(): void {
    this.#requests++;
  }
  leave(requests: number): void {
    this.#requests -= requests;
    if (this.#waiting.length > 0) this.#wake();
  }
  #wake(): void {
    if (this.full || this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
  /** `resume` is called once, when there is room again. */
  whenRoom(resume: () => void): void {
    this.#waiting.push(resume);
  }
}
