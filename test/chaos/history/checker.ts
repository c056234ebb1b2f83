/**
 * Checks a recorded history of clients against the anomalies that Kafka's Jepsen tests name: lost-write, aborted read,
 * inconsistent offsets, duplicate, unseen, poll-skip, nonmonotonic poll and send, and transactions read in part.
 * Values are unique. Legal, and not reported: offsets that hold no record a reader may see (control markers, aborted records),
 * and what an unacknowledged send did.
 */
export interface Send {
  readonly kind: "send";
  readonly producer: string;
  readonly topic: string;
  readonly partition: number;
  readonly value: string;
  /** null: no acknowledgement was received; the record may be there or not. */
  readonly offset: number | null;
  /** The transaction it belongs to, or null. */
  readonly transaction: string | null;
}
export interface TransactionEnd {
  readonly kind: "end";
  readonly transaction: string;
  readonly outcome: "committed" | "aborted" | "unknown";
}
export interface Poll {
  readonly kind: "poll";
  /** A consumer with its own position; a consumer that seeks or starts again gets a new name. */
  readonly consumer: string;
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly { readonly offset: number; readonly value: string }[];
}
/** A consumer that read everything up to the end once all was quiet. */
export interface FinalRead {
  readonly kind: "final";
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly { readonly offset: number; readonly value: string }[];
}
export type HistoryEvent = Send | TransactionEnd | Poll | FinalRead;
export interface Anomaly {
  readonly type:
    | "lost-write"
    | "aborted-read"
    | "inconsistent-offsets"
    | "duplicate"
    | "unseen"
    | "poll-skip"
    | "nonmonotonic-poll"
    | "nonmonotonic-send"
    | "torn-transaction";
  readonly what: string;
}

interface PartitionHistory {
  readonly name: string;
  /** offset → values seen there by anybody. */
  readonly at: Map<number, Set<string>>;
  /** value → offsets where it was seen. */
  readonly of: Map<string, Set<number>>;
  readonly sends: Send[];
  readonly polls: Map<string, Poll[]>;
  final: FinalRead | null;
}

/** All anomalies of the history, in no particular order; empty when there is none. */
export function anomaliesOf(history: readonly HistoryEvent[]): Anomaly[] {
  const outcomes = new Map<string, TransactionEnd["outcome"]>();
  const partitions = new Map<string, PartitionHistory>();
  for (const event of history) {
    if (event.kind === "end") outcomes.set(event.transaction, event.outcome);
    else note(partitions, event);
  }
  const found: Anomaly[] = [];
  for (const p of partitions.values())
    found.push(...placesOf(p), ...readsOf(p, outcomes), ...writesOf(p, outcomes), ...pollsOf(p), ...sendOrderOf(p));
  found.push(...tornTransactions(partitions, outcomes));
  return found;
}

function note(partitions: Map<string, PartitionHistory>, event: Send | Poll | FinalRead): void {
  const name = `${event.topic}-${event.partition}`;
  let p = partitions.get(name);
  if (p === undefined) partitions.set(name, (p = { name, at: new Map(), of: new Map(), sends: [], polls: new Map(), final: null }));
  if (event.kind === "send") {
    p.sends.push(event);
    if (event.offset !== null) place(p, event.offset, event.value);
    return;
  }
  for (const { offset, value } of event.records) place(p, offset, value);
  if (event.kind === "final") p.final = event;
  else p.polls.set(event.consumer, [...(p.polls.get(event.consumer) ?? []), event]);
}
function place(p: PartitionHistory, offset: number, value: string): void {
  p.at.set(offset, (p.at.get(offset) ?? new Set()).add(value));
  p.of.set(value, (p.of.get(value) ?? new Set()).add(offset));
}

function placesOf(p: PartitionHistory): Anomaly[] {
  const found: Anomaly[] = [];
  for (const [offset, values] of p.at)
    if (values.size > 1) found.push({ type: "inconsistent-offsets", what: `${p.name} offset ${offset}: ${[...values].join(", ")}` });
  for (const [value, offsets] of p.of)
    if (offsets.size > 1) found.push({ type: "duplicate", what: `${p.name} '${value}' at ${[...offsets].join(", ")}` });
  return found;
}

/** Reads are of committed data only. */
function readsOf(p: PartitionHistory, outcomes: ReadonlyMap<string, TransactionEnd["outcome"]>): Anomaly[] {
  const transactionOf = new Map(p.sends.map((send) => [send.value, send.transaction]));
  const seen = new Set(seenRecords(p).map(({ value }) => value));
  return [...seen].flatMap((value) => {
    const transaction = transactionOf.get(value) ?? null;
    return transaction !== null && outcomes.get(transaction) === "aborted"
      ? [{ type: "aborted-read" as const, what: `${p.name} '${value}' of ${transaction}` }]
      : [];
  });
}
function seenRecords(p: PartitionHistory): { offset: number; value: string }[] {
  return [...[...p.polls.values()].flat(), ...(p.final === null ? [] : [p.final])].flatMap(({ records }) => records);
}

function writesOf(p: PartitionHistory, outcomes: ReadonlyMap<string, TransactionEnd["outcome"]>): Anomaly[] {
  if (p.final === null) return p.sends.length === 0 ? [] : [{ type: "unseen", what: `${p.name} was never read to its end` }];
  const values = new Set(p.final.records.map(({ value }) => value));
  const polled = new Set([...p.polls.values()].flat().flatMap(({ records }) => records.map(({ value }) => value)));
  return p.sends.flatMap(({ value, offset, transaction }): Anomaly[] => {
    const promised = offset !== null && (transaction === null || outcomes.get(transaction) === "committed");
    if (promised && !values.has(value)) return [{ type: "lost-write", what: `${p.name} offset ${offset} '${value}'` }];
    if (polled.has(value) && !values.has(value)) return [{ type: "lost-write", what: `${p.name} '${value}' was polled and is gone` }];
    if (promised && p.polls.size > 0 && !polled.has(value)) return [{ type: "unseen", what: `${p.name} '${value}' was polled by nobody` }];
    return [];
  });
}

/** A consumer's records follow each other in the order of the final read, with nothing between two of them left out. */
function pollsOf(p: PartitionHistory): Anomaly[] {
  const order = new Map((p.final?.records ?? []).map(({ offset }, i) => [offset, i]));
  const found: Anomaly[] = [];
  for (const [consumer, polls] of p.polls) {
    let last: number | null = null;
    for (const { offset } of polls.flatMap(({ records }) => records)) {
      if (last !== null && offset <= last)
        found.push({ type: "nonmonotonic-poll", what: `${p.name} ${consumer}: ${offset} after ${last}` });
      else if (last !== null && (order.get(offset) ?? 0) - (order.get(last) ?? 0) > 1)
        found.push({ type: "poll-skip", what: `${p.name} ${consumer}: ${last} to ${offset}` });
      last = offset;
    }
  }
  return found;
}

/** What one producer sent to a partition lies there in the order of its sends. */
function sendOrderOf(p: PartitionHistory): Anomaly[] {
  const last = new Map<string, number>();
  return p.sends.flatMap(({ producer, offset }): Anomaly[] => {
    if (offset === null) return [];
    const before = last.get(producer) ?? -1;
    last.set(producer, Math.max(before, offset));
    return offset < before ? [{ type: "nonmonotonic-send", what: `${p.name} ${producer}: ${offset} after ${before}` }] : [];
  });
}

function tornTransactions(
  partitions: ReadonlyMap<string, PartitionHistory>,
  outcomes: ReadonlyMap<string, TransactionEnd["outcome"]>,
): Anomaly[] {
  const seen = new Map<string, { there: number; missing: number }>();
  for (const p of partitions.values()) {
    const values = new Set(p.final?.records.map(({ value }) => value));
    for (const { transaction, value } of p.sends) {
      if (transaction === null) continue;
      const counts = seen.get(transaction) ?? { there: 0, missing: 0 };
      seen.set(transaction, counts);
      if (values.has(value)) counts.there++;
      else counts.missing++;
    }
  }
  return [...seen].flatMap(([transaction, { there, missing }]): Anomaly[] =>
    there > 0 && missing > 0
      ? [{ type: "torn-transaction", what: `${transaction} (${outcomes.get(transaction) ?? "open"}): ${there} read, ${missing} missing` }]
      : [],
  );
}
