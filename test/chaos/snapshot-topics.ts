/** What an interrupted snapshot left in its topics. */
import { createKafkaClients } from "#broker/client/index";
import { readToEnd } from "./topic-end.ts";

export type Row = Record<string, unknown>;
export interface Topics {
  /** Last value of each key, by topic. */
  readonly last: ReadonlyMap<string, Map<string, Row>>;
  /** Rows that snapshots sent. */
  readonly reads: number;
}
export async function readTopics(bootstrap: string, names: readonly string[]): Promise<Topics> {
  const last = new Map(names.map((name) => [name, new Map<string, Row>()]));
  let reads = 0;
  await readToEnd(bootstrap, names, (record) => {
    const rows = last.get(record.topic);
    const key = Buffer.from(record.key ?? []).toString();
    const event = record.value === null ? null : (JSON.parse(Buffer.from(record.value).toString()) as { op: string; after: Row | null });
    if (event?.op === "r") reads++;
    if (event?.after == null) rows?.delete(key);
    else rows?.set(key, event.after);
  });
  return { last, reads };
}
/** Null: the topic's last values are the rows. */
export function difference(rows: readonly Row[], found: ReadonlyMap<string, Row> | undefined): string | null {
  const wanted = new Set(rows.map((r) => JSON.stringify(r)));
  const have = new Set([...(found?.values() ?? [])].map((r) => JSON.stringify(r)));
  const missing = [...wanted].filter((r) => !have.has(r)),
    surplus = [...have].filter((r) => !wanted.has(r));
  if (missing.length + surplus.length === 0) return null;
  return `${missing.length} missing (${missing[0]?.slice(0, 60) ?? ""}), ${surplus.length} too many (${surplus[0]?.slice(0, 60) ?? ""})`;
}
/** Records in the topics so far; kills are aimed by it, since the machine's speed is not known. */
export async function endsOf(bootstrap: string, names: readonly string[]): Promise<number> {
  const admin = await createKafkaClients().admin({ "bootstrap.servers": bootstrap });
  try {
    const offsets = await admin.endOffsets(names.map((topic) => ({ topic, partition: 0 })));
    return offsets.reduce((a: number, b) => a + Math.max(0, b ?? 0), 0);
  } catch {
    return 0;
  } finally {
    await admin.close();
  }
}
