/** The OpenAPI document, made from the routes and the schemas that read their bodies. */
import * as z from "zod";
import { bodySchemas } from "../bodies.ts";
import type { Route } from "../route.ts";
import { answerSchemas } from "./answers.ts";
import { type Operation, OPERATIONS, type Parameter } from "./operations.ts";

type Json = Readonly<Record<string, unknown>>;
const schemaOf = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const json = (name: string): Json => ({ "application/json": { schema: schemaOf(name) } });

function components(): Json {
  const convert = (schemas: Readonly<Record<string, z.ZodType>>, io: "input" | "output"): [string, unknown][] =>
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any", target: "draft-2020-12" });
      return [name, rest];
    });
  return { schemas: Object.fromEntries([...convert(bodySchemas, "input"), ...convert(answerSchemas, "output")]) };
}
function parameterSchema(p: Parameter): Json {
  const choices = p.choices === undefined ? {} : { enum: p.choices };
  if (p.type === "strings") return { type: "array", items: { type: "string", ...choices } };
  return { type: p.type, ...choices };
}
function parameters(route: Route, operation: Operation): readonly Json[] {
  const path = Array.from(route.path.matchAll(/:(\w+)/g), ([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: name === "task" ? { type: "integer", minimum: 0 } : { type: "string", minLength: 1 },
  }));
  const query = Object.entries(operation.query ?? {}).map(([name, p]) => ({
    name,
    in: "query",
    required: false,
    description: p.text,
    schema: parameterSchema(p),
  }));
  return [...path, ...query];
}
/** Errors that the server as such answers; 404, 405, 406 and 415 may come without a content type, as Kafka Connect's do. */
function commonErrors(route: Route): Json {
  const of = (text: string): Json => ({ description: text, content: json("Error") });
  return {
    400: of("The request is wrong; the message says where"),
    ...(route.needs === "nobody"
      ? {}
      : { 401: { description: "A login is needed" }, 403: of("The caller's role or connectors do not allow it") }),
    404: { description: "There is no such thing; error_code and message" },
    406: { description: "Only JSON is answered" },
    409: of("Something else is going on (a rebalance, another change), or it exists already; try again"),
    ...(route.method === "GET" ? {} : { 413: of("The body is too large") }),
    415: { description: "Only JSON is taken" },
    500: of("It failed; the message says why"),
    503: of("The worker is still starting"),
  };
}
function operationOf(route: Route): Json {
  const operation = OPERATIONS[`${route.method} ${route.path}`];
  if (operation === undefined) throw new Error(`${route.method} ${route.path} is not described in operations.ts`);
  const answers = Object.entries(operation.answers).map(([status, [description, answer]]) => [
    status,
    { description, ...(answer === null ? {} : { content: json(answer) }) },
  ]);
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.detail === undefined ? {} : { description: operation.detail }),
    parameters: parameters(route, operation),
    ...(operation.body === undefined ? {} : { requestBody: { required: operation.body !== "Preview", content: json(operation.body) } }),
    responses: { ...commonErrors(route), ...Object.fromEntries(answers) },
  };
}
/** Routes with a `*` (pages, not the API) are left out. */
export function openApiDocument(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes.filter((r) => !r.path.includes("*") && r.path !== "/docs")) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Millrace Connect",
      version,
      description: "Kafka Connect's REST API, and what makes connectors better to operate.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths,
    components: components(),
  };
}
