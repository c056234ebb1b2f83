/** Signals: rows of the signal table (or lines of a file) that ask the connector for something. */

export interface Signal {
  readonly id: string;
  readonly type: string;
  readonly data: string | null;
}
export interface SnapshotRequest {
  readonly collections: readonly string[];
  readonly kind: "incremental" | "blocking";
  /** Filter by table expression. */
  readonly conditions: readonly { readonly collection: string; readonly filter: string }[];
  readonly surrogateKey: string | null;
}

function objectOf(data: string | null): Readonly<Record<string, unknown>> | null {
  if (data === null) return null;
  try {
    const parsed: unknown = JSON.parse(data);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? (parsed as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}
const strings = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((v) => typeof v === "string") : []);

/** Null: the data of the signal cannot be used; the signal is ignored with a warning. */
export function snapshotRequest(data: string | null): SnapshotRequest | null {
  const parsed = objectOf(data);
  if (parsed === null) return null;
  const type = parsed["type"] ?? "incremental";
  const kind = typeof type === "string" ? type.toLowerCase() : "";
  if (kind !== "incremental" && kind !== "blocking") return null;
  const conditions = Array.isArray(parsed["additional-conditions"]) ? parsed["additional-conditions"] : [];
  const surrogate = parsed["surrogate-key"];
  return {
    collections: strings(parsed["data-collections"]),
    kind,
    conditions: conditions.flatMap((c: unknown) => {
      if (typeof c !== "object" || c === null || !("data-collection" in c) || !("filter" in c)) return [];
      return [{ collection: String(c["data-collection"]), filter: String(c.filter) }];
    }),
    surrogateKey: typeof surrogate === "string" && surrogate !== "" ? surrogate : null,
  };
}
/** Collections of a stop-snapshot signal; empty: all. */
export const stopRequest = (data: string | null): readonly string[] => strings(objectOf(data)?.["data-collections"]);
/** The text of a log signal; `{}` stands for the position. */
export function logRequest(data: string | null, position: string): string | null {
  const message = objectOf(data)?.["message"];
  return typeof message === "string" ? message.replace("{}", position) : null;
}
