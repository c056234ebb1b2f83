/** What the input of a stream waits for: tables that are looked up, statements that change them, a blocking snapshot. */
export class InputHold {
  #waits = 0;

  get free(): boolean {
    return this.#waits === 0;
  }
  /** Where `work` fails input stays where it is. */
  until<T>(work: Promise<T>, done: (value: T) => void, fail: (error: Error) => void): void {
    this.#waits++;
    work.then(
      (value) => {
        this.#waits--;
        done(value);
      },
      (error: unknown) => fail(error instanceof Error ? error : new Error(String(error))),
    );
  }
  /** `after`: however `work` ended. */
  async during(work: () => Promise<void>, after: () => void): Promise<void> {
    this.#waits++;
    try {
      await work();
    } finally {
      this.#waits--;
      after();
    }
  }
  /** The stream has failed. */
  stay(): void {
    this.#waits++;
  }
}
