/** The session that the chunks of an incremental snapshot are read with: opened with the first one, given up when something fails. */
export class OwnSession<S extends { close(): Promise<void> }> {
  readonly #open: () => Promise<S>;
  #session: S | null = null;

  constructor(open: () => Promise<S>) {
    this.#open = open;
  }
  async get(): Promise<S> {
    return (this.#session ??= await this.#open());
  }
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }
}
