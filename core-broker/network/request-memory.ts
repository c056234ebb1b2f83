/**
 * The bytes of requests that wait or are being assembled, over all connections. When the bound is passed, connections stop
 * reading until some are answered; a frame that is alone is always let through, so that nothing can wedge.
 */
export class RequestMemory {
  readonly #bytesMax: number;
  #bytes = 0;
  #waiting: (() => void)[] = [];
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get full(): boolean {
    return this.#bytes > this.#bytesMax;
  }
  take(bytes: number): void {
    this.#bytes += bytes;
  }
  give(bytes: number): void {
    this.#bytes -= bytes;
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
