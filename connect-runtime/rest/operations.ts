/** What goes beyond Kafka Connect: health, checks, preview, dead letters, rewind, state, metrics. */
import type { Backfill, BackfillCommand } from "../api/backfill.ts";
import { badRequest, notFound } from "../herder/errors.ts";
import type { PostedConfig } from "../herder/types.ts";
import type { BrowseRequest, ReplayRequest } from "../operate/dead-letters.ts";
import type { TriedRecord } from "../operate/preview.ts";
import type { OffsetEntry, RequestedOffset } from "../worker/types.ts";
import { bodies, flag, ok, param, type RestRequest, type Route } from "./route.ts";

/** All throw RestError. */
export interface Operations {
  health(name: string, local: boolean, request: RestRequest): Promise<object>;
  check(config: PostedConfig): Promise<unknown>;
  checkConnector(name: string): Promise<unknown>;
  /** `config` null: the connector's own. */
  preview(name: string | null, config: PostedConfig | null, limit: number | null): Promise<unknown>;
  tryTransforms(config: PostedConfig, records: readonly TriedRecord[]): Promise<unknown>;
  deadLetters(name: string, request: BrowseRequest): Promise<object>;
  replay(name: string, request: ReplayRequest): Promise<object>;
  cleanup(name: string, wanted: string): Promise<unknown>;
  exportState(name: string): Promise<object>;
  importState(name: string, offsets: readonly OffsetEntry[]): Promise<string>;
  /** Null: to the beginning. */
  rewind(name: string, offsets: readonly RequestedOffset[] | null): Promise<string>;
  /** Puts it to the connector's task. Throws ElsewhereError when another worker has that. */
  backfills(name: string, command: BackfillCommand): Promise<readonly Backfill[]>;
  /** `texts`: those too that change with every event. */
  metrics(texts: boolean): Promise<{ readonly type: string; readonly text: string }>;
}
function integer(request: RestRequest, name: string): number | null {
  const text = request.query[name]?.[0];
  if (text === undefined || text === "") return null;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`${name} has to be a number, not '${text}'`);
  return Number(text);
}
const isSet = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;

export function operationRoutes(operations: () => Operations): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/metrics",
      plain: true,
      handle: async (r) => {
        const { type, text } = await operations().metrics(flag(r, "texts"));
        return { status: 200, raw: { type, bytes: text } };
      },
    },
    {
      method: "GET",
      path: "/connectors/:name/health",
      handle: async (r) => ok(await operations().health(param(r, "name"), flag(r, "local"), r)),
    },
    {
      method: "GET",
      path: "/connectors/:name/check",
      needs: "operate",
      handle: async (r) => ok({ checks: await operations().checkConnector(param(r, "name")) }),
    },
    {
      method: "POST",
      path: "/check",
      takesJson: true,
      harmless: true,
      handle: async (r) => ok({ checks: await operations().check((await bodies()).readConfig(r.body)) }),
    },
    ...tryRoutes(operations),
    ...deadLetterRoutes(operations),
    ...stateRoutes(operations),
    ...backfillRoutes(operations),
  ];
}
function tryRoutes(operations: () => Operations): readonly Route[] {
  const preview = async (r: RestRequest, name: string | null): Promise<unknown> => {
    const body = (await bodies()).readPreview(r.body);
    return operations().preview(name, body?.config ?? null, integer(r, "records") ?? body?.records ?? null);
  };
  return [
    {
      method: "POST",
      path: "/connectors/:name/preview",
      takesJson: true,
      harmless: true,
      handle: async (r) => ok(await preview(r, param(r, "name"))),
    },
    { method: "POST", path: "/preview", takesJson: true, harmless: true, handle: async (r) => ok(await preview(r, null)) },
    {
      method: "POST",
      path: "/transforms/try",
      takesJson: true,
      harmless: true,
      handle: async (r) => {
        const { config, records } = (await bodies()).readTryTransforms(r.body);
        return ok(await operations().tryTransforms(config, records));
      },
    },
  ];
}
function deadLetterRoutes(operations: () => Operations): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/connectors/:name/dlq",
      needs: "operate",
      handle: async (r) =>
        ok(
          await operations().deadLetters(param(r, "name"), {
            limit: integer(r, "limit"),
            partition: integer(r, "partition"),
            from: integer(r, "from"),
          }),
        ),
    },
    {
      method: "POST",
      path: "/connectors/:name/dlq/replay",
      takesJson: true,
      needs: "operate",
      handle: async (r) => {
        const { records, topic } = (await bodies()).readReplay(r.body);
        const wanted = isSet(records)
          ? records.map(({ partition, offset, key, value }) => ({
              partition,
              offset,
              ...(key === undefined ? {} : { key }),
              ...(value === undefined ? {} : { value }),
            }))
          : null;
        return ok(await operations().replay(param(r, "name"), { records: wanted, topic: topic ?? null }));
      },
    },
  ];
}
function stateRoutes(operations: () => Operations): readonly Route[] {
  return [
    { method: "GET", path: "/connectors/:name/state", handle: async (r) => ok(await operations().exportState(param(r, "name"))) },
    {
      method: "PUT",
      path: "/connectors/:name/state",
      takesJson: true,
      forwards: true,
      handle: async (r) => {
        const { offsets } = (await bodies()).readState(r.body);
        const entries = offsets.flatMap(({ partition, offset }) => (partition === null ? [] : [{ partition, offset }]));
        return ok({ message: await operations().importState(param(r, "name"), entries) });
      },
    },
    {
      method: "POST",
      path: "/connectors/:name/rewind",
      takesJson: true,
      forwards: true,
      handle: async (r) => {
        const { to, offsets } = (await bodies()).readRewind(r.body);
        if (isSet(to) === isSet(offsets)) throw badRequest("Say where to go back to: to=beginning, or offsets");
        return ok({ message: await operations().rewind(param(r, "name"), offsets ?? null) });
      },
    },
  ];
}
function backfillRoutes(operations: () => Operations): readonly Route[] {
  const one = async (r: RestRequest, command: BackfillCommand): Promise<Backfill> => {
    const [backfill] = await operations().backfills(param(r, "name"), command);
    if (backfill === undefined) throw notFound(`Connector ${param(r, "name")} has no backfill ${param(r, "id")}`);
    return backfill;
  };
  const turns: readonly Route[] = (["pause", "resume", "stop"] as const).map((verb) => ({
    method: "PUT",
    path: `/connectors/:name/backfills/:id/${verb}`,
    needs: "operate",
    forwards: true,
    handle: async (r) => ({ status: 202, body: await one(r, { do: verb, id: param(r, "id") }) }),
  }));
  return [
    {
      method: "GET",
      path: "/connectors/:name/backfills",
      forwards: true,
      handle: async (r) => ok({ backfills: await operations().backfills(param(r, "name"), { do: "list" }) }),
    },
    {
      // Its conditions are code: not for those who may only operate.
      method: "POST",
      path: "/connectors/:name/backfills",
      takesJson: true,
      forwards: true,
      handle: async (r) => {
        const { id = null, kind, tables } = (await bodies()).readBackfill(r.body);
        const named = tables.map((t) => (typeof t === "string" ? { table: t, where: null } : { table: t.table, where: t.where ?? null }));
        return { status: 202, body: await one(r, { do: "start", request: { id, kind, tables: named } }) };
      },
    },
    {
      method: "GET",
      path: "/connectors/:name/backfills/:id",
      forwards: true,
      handle: async (r) => ok(await one(r, { do: "show", id: param(r, "id") })),
    },
    ...turns,
  ];
}
