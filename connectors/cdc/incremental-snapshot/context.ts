/** The state of an incremental snapshot: what is being read and how far, and its form in offsets. */
import type { OffsetValue, SourceOffset } from "#connect/api/record";
import type { Collection, KeyValues } from "./port.ts";

const KEY_PREFIX = "json:";
/** Keys in Java's serialised form cannot be read: that table is then read from its beginning. */
const keyOf = (value: unknown): KeyValues | null =>
  typeof value === "string" && value.startsWith(KEY_PREFIX) ? (JSON.parse(value.slice(KEY_PREFIX.length)) as KeyValues) : null;
const keyText = (key: KeyValues): string => `${KEY_PREFIX}${JSON.stringify(key)}`;

export class IncrementalContext {
  collections: Collection[] = [];
  /** Id of the signal that began it; notifications carry it. */
  correlation = "";
  lastKey: KeyValues | null = null;
  maximumKey: KeyValues | null = null;
  /** Rows of the current table so far. */
  scanned = 0;

  get active(): boolean {
    return this.collections.length > 0;
  }
  get current(): Collection | undefined {
    return this.collections[0];
  }
  ids(): string {
    return this.collections.map((c) => c.id).join(",");
  }
  /** The current table is done or given up: the next one starts at its beginning. */
  startTable(): void {
    this.lastKey = null;
    this.maximumKey = null;
    this.scanned = 0;
  }
  /** Goes on where a stored offset says. */
  restore(offset: SourceOffset): void {
    const collections = offset["incremental_snapshot_collections"];
    if (typeof collections !== "string") return;
    const stored = JSON.parse(collections) as readonly Readonly<Record<string, string | null>>[];
    this.collections = stored.map((c) => ({
      id: c["incremental_snapshot_collections_id"] ?? "",
      filter: c["incremental_snapshot_collections_additional_condition"] ?? null,
      surrogateKey: c["incremental_snapshot_collections_surrogate_key"] ?? null,
    }));
    this.correlation = String(offset["incremental_snapshot_correlation_id"] ?? "");
    this.lastKey = keyOf(offset["incremental_snapshot_primary_key"]);
    this.maximumKey = this.lastKey === null ? null : keyOf(offset["incremental_snapshot_maximum_key"]);
  }
  /** Debezium's keys of an offset while a snapshot runs; nothing otherwise. */
  offset(): Readonly<Record<string, OffsetValue>> {
    if (!this.active) return {};
    return {
      incremental_snapshot_correlation_id: this.correlation,
      incremental_snapshot_collections: JSON.stringify(
        this.collections.map((c) => ({
          incremental_snapshot_collections_id: c.id,
          incremental_snapshot_collections_additional_condition: c.filter,
          incremental_snapshot_collections_surrogate_key: c.surrogateKey,
        })),
      ),
      ...(this.maximumKey === null ? {} : { incremental_snapshot_maximum_key: keyText(this.maximumKey) }),
      ...(this.lastKey === null ? {} : { incremental_snapshot_primary_key: keyText(this.lastKey) }),
    };
  }
}
