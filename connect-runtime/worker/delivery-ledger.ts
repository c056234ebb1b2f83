/**
 * Which source offsets may be committed: those of the contiguous acknowledged prefix, in the order the records were sent.
 *
 * An entry begins with the first record of a producer batch and holds all records up to the next entry, also those that went into
 * batches begun earlier: entries are passed in order, so those batches are acknowledged by then, and the prefix ends nowhere but
 * at the first record of a batch. A source that writes to many topics in turn so makes one entry for each batch, and only the last
 * offset of each entry lives until the acknowledgement. Another source partition begins an entry too.
 */
import type { Delivery } from "#broker/client/types";
import type { SourceOffset, SourcePartition } from "../api/record.ts";
import { canonicalKey } from "../store/offset-json.ts";
import type { OffsetEntry } from "./types.ts";

/** The delivery of a record that a transform dropped: nothing to wait for. */
export const NOTHING_TO_SEND: Delivery = { topic: "", partition: -1, state: "acked", baseOffset: -1, error: null };

export interface CommittableOffset extends OffsetEntry {
  readonly offset: SourceOffset;
}

export class DeliveryLedger {
  #deliveries: Delivery[];
  #partitions: SourcePartition[];
  #offsets: SourceOffset[];
  #counts: number[];
  /** Records of the entry's own batch, wherever they stand. */
  #own: number[];
  /** The running number of the entry that a batch began. */
  readonly #began = new Map<Delivery, number>();
  #mask: number;
  /** Running numbers; the slot is `number & mask`. */
  #head = 0;
  #tail = 0;
  #records = 0;
  readonly #committable = new Map<string, CommittableOffset>();
  readonly #keys = new WeakMap<SourcePartition, string>();

  constructor(capacity = 1024) {
    this.#deliveries = new Array<Delivery>(capacity).fill(NOTHING_TO_SEND);
    this.#partitions = new Array<SourcePartition>(capacity).fill({});
    this.#offsets = new Array<SourceOffset>(capacity).fill({});
    this.#counts = new Array<number>(capacity).fill(0);
    this.#own = new Array<number>(capacity).fill(0);
    this.#mask = capacity - 1;
  }
  /** Records sent whose delivery has not been passed yet. */
  get records(): number {
    return this.#records;
  }
  /** The delivery that the prefix ends at; null: nothing is on its way. */
  get waitingFor(): Delivery | null {
    return this.#head === this.#tail ? null : (this.#deliveries[this.#head & this.#mask] ?? null);
  }
  add(delivery: Delivery, partition: SourcePartition, offset: SourceOffset): void {
    this.#records++;
    if (this.#tail !== this.#head) {
      const last = (this.#tail - 1) & this.#mask;
      if (samePartition(this.#partitions[last], partition)) {
        const own = this.#deliveries[last] === delivery ? last : this.#slotOf(delivery);
        if (own >= 0) {
          this.#offsets[last] = offset;
          this.#counts[last] = (this.#counts[last] ?? 0) + 1;
          this.#own[own] = (this.#own[own] ?? 0) + 1;
          return;
        }
      }
    }
    if (this.#tail - this.#head > this.#mask) this.#grow();
    if (!this.#began.has(delivery)) this.#began.set(delivery, this.#tail);
    const slot = this.#tail++ & this.#mask;
    this.#deliveries[slot] = delivery;
    this.#partitions[slot] = partition;
    this.#offsets[slot] = offset;
    this.#counts[slot] = 1;
    this.#own[slot] = 1;
  }
  /** -1: the batch has no entry here yet. */
  #slotOf(delivery: Delivery): number {
    const began = this.#began.get(delivery);
    return began === undefined ? -1 : began & this.#mask;
  }
  /** Passes what is acknowledged now. Returns the delivery that failed, if the prefix has come to one: it is not passed. */
  advance(): Delivery | null {
    while (this.#head !== this.#tail) {
      const slot = this.#head & this.#mask;
      const delivery = this.#deliveries[slot] ?? NOTHING_TO_SEND;
      if (delivery.state === "failed") return delivery;
      if (delivery.state !== "acked") return null;
      this.#commit(this.#partitions[slot] ?? {}, this.#offsets[slot] ?? {});
      this.#release(slot);
    }
    return null;
  }
  /** Gives up the batch at the head without committing its entry's offset: a failure that is tolerated. Returns the batch's records. */
  skipHead(): number {
    const slot = this.#head & this.#mask;
    const lost = this.#own[slot] ?? 0;
    this.#release(slot);
    return lost;
  }
  /** The newest committable offset of each partition that moved since the last call. */
  take(): readonly CommittableOffset[] {
    const taken = [...this.#committable.values()];
    this.#committable.clear();
    return taken;
  }
  /** After a commit that failed: they are offered again, unless newer ones have come. */
  putBack(entries: readonly CommittableOffset[]): void {
    for (const entry of entries) {
      const key = this.#keyOf(entry.partition);
      if (!this.#committable.has(key)) this.#committable.set(key, entry);
    }
  }
  #release(slot: number): void {
    this.#records -= this.#counts[slot] ?? 0;
    const delivery = this.#deliveries[slot] ?? NOTHING_TO_SEND;
    if (this.#began.get(delivery) === this.#head) this.#began.delete(delivery);
    this.#deliveries[slot] = NOTHING_TO_SEND;
    this.#head++;
  }
  #commit(partition: SourcePartition, offset: SourceOffset): void {
    this.#committable.set(this.#keyOf(partition), { partition, offset });
  }
  #keyOf(partition: SourcePartition): string {
    let key = this.#keys.get(partition);
    if (key === undefined) {
      key = canonicalKey("", partition);
      this.#keys.set(partition, key);
    }
    return key;
  }
  #grow(): void {
    const old = this.#mask + 1;
    const move = <T>(from: readonly T[]): T[] => {
      const to: T[] = [];
      for (let n = this.#head; n !== this.#tail; n++) to.push(from[n & this.#mask] as T); // the slots from head to tail are filled
      for (let n = old; n < old * 2; n++) to.push(from[0] as T); // placeholders, overwritten before they are read
      return to;
    };
    this.#deliveries = move(this.#deliveries);
    this.#partitions = move(this.#partitions);
    this.#offsets = move(this.#offsets);
    this.#counts = move(this.#counts);
    this.#own = move(this.#own);
    for (const [delivery, began] of this.#began) this.#began.set(delivery, began - this.#head);
    this.#tail -= this.#head;
    this.#head = 0;
    this.#mask = old * 2 - 1;
  }
}

/** Connectors that make a new object for each record are common; most partitions have one or two fields. */
function samePartition(a: SourcePartition | undefined, b: SourcePartition): boolean {
  if (a === b) return true;
  if (a === undefined) return false;
  let fields = 0;
  for (const key in a) {
    if (a[key] !== b[key]) return false;
    fields++;
  }
  for (const key in b)
    if (key in a) fields--;
    else return false;
  return fields === 0;
}
