/**
 * Read your own writes over a topic: a value that was sent holds at once, and what the topic still says about its key from
 * before is passed over until the value comes back.
 */
export class OwnWrites {
  /** Values under way by key, oldest first. */
  readonly #underWay = new Map<string, (Uint8Array | null)[]>();

  sent(key: string, value: Uint8Array | null): void {
    const values = this.#underWay.get(key);
    if (values === undefined) this.#underWay.set(key, [value]);
    else values.push(value);
  }
  /** The value will never come back. */
  failed(key: string, value: Uint8Array | null): void {
    this.#remove(key, (v) => v === value);
  }
  /** Whether a record of the topic says something that is not known already. */
  isNews(key: string, value: Uint8Array | null): boolean {
    if (!this.#underWay.has(key)) return true;
    this.#remove(key, (v) => same(v, value));
    return false;
  }
  #remove(key: string, wanted: (value: Uint8Array | null) => boolean): void {
    const values = this.#underWay.get(key);
    const at = values?.findIndex(wanted) ?? -1;
    if (values === undefined || at < 0) return;
    // Order is kept: whatever was sent before has been passed over or lost.
    values.splice(0, at + 1);
    if (values.length === 0) this.#underWay.delete(key);
  }
}
const same = (a: Uint8Array | null, b: Uint8Array | null): boolean => (a === null || b === null ? a === b : Buffer.compare(a, b) === 0);
