/** Bodies of requests. What does not fit is the client's mistake: 400 with the place of it. */
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
const offsetMap = z.nullable(z.record(z.string(), z.union([z.string(), z.number(), z.bigint(), z.boolean(), z.null()])));
const alterOffsets = z.object({
  offsets: z.nullish(z.array(z.object({ partition: z.nullish(offsetMap), offset: z.nullish(offsetMap) }))),
});
const taskConfigs = z.array(z.record(z.string(), z.string()));
const loggerLevel = z.record(z.string(), z.nullable(z.string()));

export type Body = Uint8Array;
function read<T>(schema: z.ZodType<T>, body: Body): T {
  const result = schema.safeParse(parseJson(body));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? "the body" : `'${issue.path.map(String).join(".")}'`;
  throw badRequest(`The request's body does not fit: ${place}: ${issue?.message ?? "unexpected value"}`);
}
export const readConfig = (body: Body): z.infer<typeof config> => read(config, body);
export const readCreateConnector = (body: Body): z.infer<typeof createConnector> => read(createConnector, body);
export const readAlterOffsets = (body: Body): z.infer<typeof alterOffsets> => read(alterOffsets, body);
export const readTaskConfigs = (body: Body): z.infer<typeof taskConfigs> => read(taskConfigs, body);
export const readLoggerLevel = (body: Body): z.infer<typeof loggerLevel> => read(loggerLevel, body);
