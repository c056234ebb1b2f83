/** What streaming needs to know and whom it asks. */
import type { SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import type { Struct } from "#connect/api/struct";
import type { StreamSignals } from "../cdc/signal-handler.ts";
import type { TablePlan } from "../cdc/table-plan.ts";
import type { MessageForm } from "./message-record.ts";
import type { Relation } from "./pgoutput/decode.ts";
import type { ReadOnlyWatermarks } from "./read-only-watermarks.ts";
import type { StreamedTransactions } from "./streamed-transactions.ts";

export interface StreamSettings {
  readonly partition: SourcePartition;
  /** Topic of transaction metadata; null: not wanted. */
  readonly transactionTopic: string | null;
  /** Operations to leave out: c u d t m. */
  readonly skipped: ReadonlySet<string>;
  /** Updates whose captured columns are as before are left out (`skip.messages.without.change`); seen with REPLICA IDENTITY FULL. */
  readonly skipsUnchanged: boolean;
  readonly messageForm: MessageForm;
  readonly wantsMessage: (prefix: string) => boolean;
  readonly messageTopic: string;
  /** Gives the record for a change of a table's definition (`ddl-trigger.ts`), or null: it is not wanted. */
  readonly ddl: (content: Buffer, source: Struct, tsMs: number, offset: () => SourceOffset) => SourceRecord | null;
  /** The plan of a relation, or null if it is not captured. Looks into the catalogue. */
  readonly plan: (relation: Relation) => Promise<TablePlan | null>;
  /** Goes on with input after `ready` was false. */
  readonly resume: () => void;
  readonly fail: (error: Error) => void;
  /** Takes signals and watches changes for incremental snapshots; null: no signal table. */
  readonly signals: StreamSignals | null;
  /** The server wants to hear where we are. */
  readonly statusRequested: () => void;
  /** Where transactions in progress are kept; null: the server sends none. */
  readonly streamed: StreamedTransactions | null;
  /** Of incremental snapshots without a signal table; null: they have one. */
  readonly marks: Pick<ReadOnlyWatermarks, "transaction" | "passed"> | null;
}
