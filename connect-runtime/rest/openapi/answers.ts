/** The shapes of answers, for OpenAPI; test/unit/rest holds real answers against them. */
import * as z from "zod";

const error = z.object({ error_code: z.int(), message: z.string() });
const strings = z.record(z.string(), z.string());
const taskId = z.object({ connector: z.string(), task: z.int().min(0) });
const connectorType = z.enum(["source", "sink", "unknown"]);
const connectorInfo = z.object({ name: z.string(), config: strings, tasks: z.array(taskId), type: connectorType });
const state = z.enum(["UNASSIGNED", "RUNNING", "PAUSED", "FAILED", "DESTROYED", "RESTARTING", "STOPPED"]);
const stateInfo = z.object({ state, worker_id: z.string(), trace: z.string().optional(), version: z.string().optional() });
const taskStatus = stateInfo.extend({ id: z.int().min(0) });
const connectorStatus = z.object({ name: z.string(), connector: stateInfo, tasks: z.array(taskStatus), type: connectorType });
const offsets = z.array(z.object({ partition: z.record(z.string(), z.unknown()), offset: z.nullable(z.record(z.string(), z.unknown())) }));
const level = z.object({ level: z.string(), last_modified: z.nullable(z.int()) });
const definition = z.looseObject({ name: z.string(), type: z.string(), required: z.boolean(), default_value: z.nullable(z.string()) });
const finding = z.looseObject({ name: z.string(), value: z.nullable(z.string()), errors: z.array(z.string()) });
const check = z.looseObject({ check: z.string(), ok: z.boolean(), message: z.string(), sql: z.array(z.string()).optional() });
const leftover = z.looseObject({ kind: z.string(), name: z.string(), removed: z.boolean() });

const backfill = z.object({
  id: z.string(),
  kind: z.enum(["incremental", "blocking"]),
  state: z.enum(["waiting", "running", "paused", "completed", "stopped", "failed"]),
  tables: z.array(
    z.object({
      table: z.string(),
      where: z.nullable(z.string()),
      state: z.enum(["waiting", "running", "completed", "stopped", "failed"]),
      rows: z.nullable(z.int()),
      reason: z.nullable(z.string()),
    }),
  ),
  requested_at: z.string(),
  changed_at: z.string(),
  reason: z.nullable(z.string()),
});
export const answerSchemas = {
  Error: error,
  WorkerInfo: z.object({ version: z.string(), commit: z.string(), kafka_cluster_id: z.nullable(z.string()) }),
  WorkerHealth: z.object({ status: z.string(), message: z.string() }),
  ConnectorNames: z.union([
    z.array(z.string()),
    z.record(z.string(), z.object({ status: connectorStatus.optional(), info: connectorInfo.optional() })),
  ]),
  ConnectorInfo: connectorInfo,
  Strings: strings,
  ConnectorStatus: connectorStatus,
  Tasks: z.array(z.object({ id: taskId, config: strings })),
  TaskStatus: taskStatus,
  Offsets: z.object({ offsets }),
  Message: z.object({ message: z.string() }),
  Topics: z.record(z.string(), z.object({ topics: z.array(z.string()) })),
  Plugins: z.array(z.object({ class: z.string(), type: z.string(), version: z.string() })),
  Definitions: z.array(definition),
  Validation: z.looseObject({
    name: z.string(),
    error_count: z.int(),
    groups: z.array(z.string()),
    configs: z.array(z.looseObject({ definition: z.nullable(definition), value: finding })),
    checks: z.array(check).optional(),
  }),
  LoggerLevel: level,
  LoggerLevels: z.record(z.string(), level),
  LoggerNames: z.array(z.string()),
  ConnectorHealth: z.looseObject({
    name: z.string(),
    verdict: z.string(),
    reasons: z.array(z.string()),
    tasks: z.array(z.looseObject({})),
  }),
  Preview: z.looseObject({ records: z.array(z.looseObject({})), dropped: z.int() }),
  TriedTransforms: z.looseObject({ records: z.array(z.looseObject({})) }),
  Checks: z.looseObject({ checks: z.array(check) }),
  CleanupPlan: z.looseObject({ connector: z.string(), items: z.array(leftover) }),
  DeadLetters: z.looseObject({ topic: z.string(), depth: z.int(), records: z.array(z.looseObject({})) }),
  Replayed: z.looseObject({ replayed: z.int() }),
  Backfill: backfill,
  Backfills: z.object({ backfills: z.array(backfill) }),
  ConnectorState: z.looseObject({ name: z.string(), offsets }),
  Object: z.looseObject({}),
} as const;
export type AnswerName = keyof typeof answerSchemas;
