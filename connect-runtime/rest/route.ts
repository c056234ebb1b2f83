/** A resource is a list of routes; the app gives each the request and turns what it returns into an answer. */
export interface RestRequest {
  readonly method: string;
  /** Path parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** All values of a query parameter. */
  readonly query: Readonly<Record<string, readonly string[]>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Empty where none was sent. */
  readonly body: Uint8Array;
  readonly path: string;
  /** Who asks, once a login said so; null: nobody has to log in. */
  readonly caller: Caller | null;
  /** Over https. */
  readonly secure: boolean;
}
export interface Caller {
  readonly name: string;
  readonly role: Role;
  /** Whether this connector is one of the caller's. */
  readonly mayUse: (connector: string) => boolean;
}
export interface Answer {
  readonly status: number;
  /** Undefined: no body. */
  readonly body?: unknown;
  readonly location?: string;
  /** Instead of `body`: something that is not JSON. */
  readonly raw?: { readonly type: string; readonly bytes: Uint8Array | string };
  /** What was changed, for the audit log: names to old and new value, secrets masked. */
  readonly changes?: Changes;
}
export type Changes = Readonly<Record<string, readonly [before: string | null, after: string | null]>>;
/** Each may do what those before it may. `admin` also changes the worker itself. */
export const ROLES = ["read", "operate", "edit", "admin"] as const;
export type Role = (typeof ROLES)[number];
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** As in `/connectors/:name/status`. */
  readonly path: string;
  /** Requests to it carry JSON: other content types are refused. */
  readonly takesJson?: true;
  /** Another worker may have to answer (ElsewhereError). */
  readonly forwards?: true;
  /** Absent: `read` for GET, else `edit`. "nobody": no login (probes). "workers": signed by another worker instead. */
  readonly needs?: Role | "nobody" | "workers";
  /** It answers with something else than JSON, whatever the client says it takes. */
  readonly plain?: true;
  /** POST that changes nothing: not in the audit log. */
  readonly harmless?: true;
  readonly handle: (request: RestRequest) => Promise<Answer> | Answer;
}
/** Loaded with the first body, because the library behind it is large and not needed for the start. */
export const bodies = (): Promise<typeof import("./bodies.ts")> => import("./bodies.ts");
export const ok = (body: unknown): Answer => ({ status: 200, body });
export const accepted: Answer = { status: 202 };
export const noContent: Answer = { status: 204 };
export const flag = (request: RestRequest, name: string): boolean => request.query[name]?.[0]?.toLowerCase() === "true";
/** A parameter of the path that the route's pattern has. */
export const param = (request: RestRequest, name: string): string => request.params[name] ?? "";
