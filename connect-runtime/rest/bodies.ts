/** Bodies of requests. What does not fit is the client's mistake: 400 with the place of it. OpenAPI shows the same schemas. */
import * as z from "zod";
import { badRequest } from "../herder/errors.ts";
import { parseJson } from "./json.ts";

/** Kafka takes numbers and booleans for strings. */
const text = z.union([z.string(), z.number(), z.bigint(), z.boolean()]).transform(String);
const config = z.record(z.string(), z.nullable(text));
const initialState = z
  .string()
  .transform((s) => s.toUpperCase())
  .pipe(z.enum(["RUNNING", "PAUSED", "STOPPED"]));
const createConnector = z.strictObject({
  name: z.nullish(text),
  config,
  initial_state: z.nullish(initialState),
});
const scalar = z.union([z.string(), z.number(), z.bigint(), z.boolean(), z.null()]);
const offsetMap = z.nullable(z.record(z.string(), scalar));
const alterOffsets = z.strictObject({
  offsets: z.nullish(z.array(z.strictObject({ partition: z.nullish(offsetMap), offset: z.nullish(offsetMap) }))),
});
const taskConfigs = z.array(z.record(z.string(), text));
const loggerLevel = z.record(z.string(), z.nullable(text));
const preview = z.nullish(z.object({ records: z.nullish(z.int().min(1).max(1_000)), config: z.nullish(config) }));
const tryTransforms = z.object({
  config,
  records: z
    .array(
      z.object({
        topic: z.string().default("topic"),
        partition: z.nullish(z.int().min(0)),
        key: z.unknown().optional(),
        value: z.unknown().optional(),
        headers: z.nullish(z.record(z.string(), scalar)),
        timestamp: z.nullish(z.int()),
      }),
    )
    .max(1_000),
});
const replay = z.object({
  /** Absent: all that the queue holds at the time of the request. */
  records: z.nullish(
    z
      .array(
        z.object({
          partition: z.int().min(0),
          offset: z.int().min(0),
          /** Replacements of the recorded bytes, as text; null: a null key or a tombstone. Absent: as recorded. */
          key: z.nullish(z.string()),
          value: z.nullish(z.string()),
        }),
      )
      .max(10_000),
  ),
  /** Absent: the topic that the record came from. */
  topic: z.nullish(z.string()),
});
const rewind = z.object({
  to: z.nullish(z.enum(["beginning"])),
  offsets: z.nullish(z.array(z.object({ partition: offsetMap, offset: offsetMap }))),
});
const backfill = z.strictObject({
  /** Absent: one is made. The same id again is answered with what became of the first request. */
  id: z.nullish(z.string().regex(/^[\w.-]{1,100}$/)),
  kind: z.enum(["incremental", "blocking"]).default("incremental"),
  /** Names, or names with a condition in SQL. */
  tables: z
    .array(z.union([z.string().min(1), z.strictObject({ table: z.string().min(1), where: z.nullish(z.string().min(1)) })]))
    .min(1)
    .max(1_000),
});
const state = z.looseObject({ offsets: z.array(z.object({ partition: offsetMap, offset: offsetMap })) });

/** By the names that OpenAPI gives them. */
export const bodySchemas = {
  CreateConnector: createConnector,
  ConnectorConfig: config,
  AlterOffsets: alterOffsets,
  TaskConfigs: taskConfigs,
  LoggerLevel: loggerLevel,
  Preview: preview,
  TryTransforms: tryTransforms,
  Replay: replay,
  Rewind: rewind,
  ConnectorState: state,
  Backfill: backfill,
} as const;

export type Body = Uint8Array;
function read<T>(schema: z.ZodType<T>, body: Body, asWritten = false): T {
  const result = schema.safeParse(parseJson(body, asWritten));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? "the body" : `'${issue.path.map(String).join(".")}'`;
  throw badRequest(`The request's body does not fit: ${place}: ${issue?.message ?? "unexpected value"}`);
}
export const readConfig = (body: Body): z.infer<typeof config> => read(config, body, true);
export const readCreateConnector = (body: Body): z.infer<typeof createConnector> => read(createConnector, body, true);
export const readAlterOffsets = (body: Body): z.infer<typeof alterOffsets> => read(alterOffsets, body);
export const readTaskConfigs = (body: Body): z.infer<typeof taskConfigs> => read(taskConfigs, body, true);
export const readLoggerLevel = (body: Body): z.infer<typeof loggerLevel> => read(loggerLevel, body, true);
export const readPreview = (body: Body): z.infer<typeof preview> => read(preview, body);
export const readTryTransforms = (body: Body): z.infer<typeof tryTransforms> => read(tryTransforms, body);
export const readReplay = (body: Body): z.infer<typeof replay> => read(replay, body);
export const readRewind = (body: Body): z.infer<typeof rewind> => read(rewind, body);
export const readState = (body: Body): z.infer<typeof state> => read(state, body);
export const readBackfill = (body: Body): z.infer<typeof backfill> => read(backfill, body);
