/** MariaDB's GTIDs: `domain-server-sequence`; a position has one per domain (`gtid_binlog_pos`, `@slave_connect_state`). */
import { BinlogError } from "./failures.ts";

export interface MariadbGtid {
  readonly domain: number;
  readonly server: number;
  readonly sequence: bigint;
}
export const mariadbGtidText = (g: MariadbGtid): string => `${g.domain}-${g.server}-${g.sequence}`;

export class MariadbGtidSet {
  readonly #domains = new Map<number, MariadbGtid>();
  /** Throws BinlogError for text that is not a list of GTIDs. */
  static parse(text: string): MariadbGtidSet {
    const set = new MariadbGtidSet();
    for (const part of text.replaceAll(/\s/g, "").split(",")) {
      if (part === "") continue;
      const m = /^(\d{1,10})-(\d{1,10})-(\d{1,20})$/.exec(part);
      if (m === null) throw new BinlogError("corrupt", `"${part}" is not a GTID of MariaDB`);
      set.add({ domain: Number(m[1]), server: Number(m[2]), sequence: BigInt(m[3] ?? 0) });
    }
    return set;
  }
  get isEmpty(): boolean {
    return this.#domains.size === 0;
  }
  get gtids(): readonly MariadbGtid[] {
    return [...this.#domains.values()].sort((a, b) => a.domain - b.domain);
  }
  /** The position of its domain becomes this one, whatever it was: the order is the log's. */
  add(gtid: MariadbGtid): void {
    this.#domains.set(gtid.domain, gtid);
  }
  /** Whether the position is at or after `gtid` in its domain. */
  contains(gtid: MariadbGtid): boolean {
    const at = this.#domains.get(gtid.domain);
    return at !== undefined && at.sequence >= gtid.sequence;
  }
  containsAll(other: MariadbGtidSet): boolean {
    return other.gtids.every((g) => this.contains(g));
  }
  equals(other: MariadbGtidSet): boolean {
    return this.toString() === other.toString();
  }
  copy(): MariadbGtidSet {
    return this.plus(new MariadbGtidSet());
  }
  /** Of each domain the later one. */
  plus(other: MariadbGtidSet): MariadbGtidSet {
    const out = new MariadbGtidSet();
    for (const g of [...this.gtids, ...other.gtids]) if (!out.contains(g)) out.add(g);
    return out;
  }
  only(passes: (gtid: MariadbGtid) => boolean): MariadbGtidSet {
    const out = new MariadbGtidSet();
    for (const g of this.gtids) if (passes(g)) out.add(g);
    return out;
  }
  toString(): string {
    return this.gtids.map(mariadbGtidText).join(",");
  }
}
