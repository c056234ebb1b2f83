/** Which plan reads the rows of an event: of the definition that the history has, if it is of the same columns. */
import { messageOf, SourceError } from "../cdc/source-error.ts";
import { dottedTableId } from "../cdc/table-model.ts";
import type { TablePlan } from "../cdc/table-plan.ts";
import type { RowsEvent, TableMap } from "./binlog/types.ts";
import type { Refusal, TablePlans } from "./plans.ts";
import type { SchemaTracker } from "./schema-tracker.ts";
import type { FailureMode, TaskSettings } from "./task-settings.ts";

export interface RowPlanSettings {
  readonly settings: TaskSettings;
  readonly schema: SchemaTracker;
  readonly plans: TablePlans;
  readonly warn: (message: string) => void;
}
type Planned = { readonly version: number; readonly plan: TablePlan | null; readonly captured: boolean };

export class RowPlans {
  readonly #s: RowPlanSettings;
  readonly #plans = new WeakMap<TableMap, Planned>();
  /** Events of tables that are not captured, by the kind of change. */
  readonly filtered = { write: 0, update: 0, delete: 0 };
  /** Events whose rows could not be read. */
  erroneous = 0;

  constructor(settings: RowPlanSettings) {
    this.#s = settings;
  }
  /** Null: the table is not captured, or its rows cannot be read and a setting says to go on. */
  planOf(event: RowsEvent): TablePlan | null {
    const map = event.table;
    const { schema, plans, settings } = this.#s;
    const known = this.#plans.get(map);
    let plan = known?.version === schema.version ? known.plan : undefined;
    let captured = known?.captured === true;
    if (plan === undefined) {
      plan = null;
      captured = plans.captures(map.schema, map.table);
      if (captured) {
        const table = schema.table(map.schema, map.table);
        if (table === undefined) this.#unusable(settings.onInconsistentSchema, unknownTable(map));
        else if (table.columns.length !== map.columns.length)
          this.#unusable(settings.onProcessingFailure, otherColumns(map, table.columns.length, map.columns.length));
        else plan = plans.plan(table, { kind: "binlog", columns: map.columns });
      }
      this.#plans.set(map, { version: schema.version, plan, captured });
    }
    if (!captured) this.filtered[event.change]++;
    else if (plan === null) this.erroneous++;
    else {
      const sent = Math.min(present(event.beforeColumns, map), present(event.afterColumns, map));
      if (sent !== map.columns.length) {
        this.#unusable(settings.onProcessingFailure, otherColumns(map, map.columns.length, sent));
        this.erroneous++;
        return null;
      }
    }
    return plan;
  }
  /** A row of the plan cannot be shown, and `event.processing.failure.handling.mode` says what of it. */
  refused(error: unknown): void {
    this.erroneous++;
    this.#unusable(this.#s.settings.onProcessingFailure, processing(error));
  }
  /** Columns of the plan's rows whose values may be refused; undefined: there are none. */
  refusals(plan: TablePlan): readonly Refusal[] | undefined {
    return this.#s.plans.refusals(plan);
  }
  #unusable(mode: FailureMode, error: SourceError): void {
    if (mode === "fail") throw error;
    if (mode === "warn") this.#s.warn(`rows were passed over: ${messageOf(error.cause ?? error)}`);
  }
}

/** Columns that an image has. */
function present(bitmap: Uint8Array | null, map: TableMap): number {
  if (bitmap === null) return map.columns.length;
  let count = 0;
  for (let i = 0; i < map.columns.length; i++) if ((((bitmap[i >> 3] as number) >> (i & 7)) & 1) === 1) count++;
  return count;
}
const processing = (cause: unknown): SourceError =>
  new SourceError("Error processing binlog event", { javaClass: "io.debezium.DebeziumException", cause });
const failed = (detail: string): SourceError => processing(new SourceError(detail, { javaClass: "io.debezium.DebeziumException" }));
const otherColumns = (map: TableMap, known: number, sent: number): SourceError =>
  failed(
    `Error processing row in ${map.table}, internal schema size ${known}, but row size ${sent} , restart connector with schema recovery mode.`,
  );
const unknownTable = (map: TableMap): SourceError =>
  failed(
    `Encountered change event for table ${dottedTableId({ catalog: map.schema, schema: null, table: map.table })} whose schema isn't known to this connector`,
  );
