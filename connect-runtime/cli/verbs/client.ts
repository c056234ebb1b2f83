/** The worker's REST API as the commands use it. */
import { exactJson, toJson } from "../../rest/json.ts";

export interface Target {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string;
  readonly authorization: string | null;
}
/** The worker said no, or did not answer; the message is for a person. */
export class CommandError extends Error {}

const TIMEOUT_MS = 90_000;

export function targetOf(options: Readonly<Record<string, string>>, env: Readonly<Record<string, string | undefined>>): Target {
  const url = (options["url"] ?? env["MILLRACE_URL"] ?? "http://127.0.0.1:8083").replace(/\/+$/, "");
  const token = options["token"] ?? env["MILLRACE_TOKEN"];
  const user = options["user"] ?? env["MILLRACE_USER"];
  if (token !== undefined) return { url, authorization: `Bearer ${token}` };
  return { url, authorization: user === undefined ? null : `Basic ${Buffer.from(user).toString("base64")}` };
}
/** The parsed answer; null where there is no body. Throws CommandError. */
export async function ask(target: Target, method: string, path: string, body?: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(target.url + path, {
      method,
      headers: {
        ...(target.authorization === null ? {} : { authorization: target.authorization }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? null : toJson(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CommandError(`no worker answers at ${target.url} (${cause}). Start one, or name another with --url.`, { cause: error });
  }
  const text = await response.text();
  const parsed = parsedBody(text);
  if (response.status >= 400) {
    const message = isRecord(parsed) && typeof parsed["message"] === "string" ? parsed["message"] : text;
    const login = response.status === 401 ? " Give --token or --user NAME:PASSWORD." : "";
    throw new CommandError(`${message}${login} (${response.status})`);
  }
  return parsed;
}
function parsedBody(text: string): unknown {
  if (text === "") return null;
  try {
    return exactJson(text);
  } catch {
    return text;
  }
}
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const recordOf = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {});
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
/** As a cell of a table. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  return toJson(value);
}
export const connectorPath = (name: string, rest = ""): string => `/connectors/${encodeURIComponent(name)}${rest}`;
