/** `backfill`: tables of a running source are read once more. */
import { UsageError } from "../arguments.ts";
import { ask, connectorPath, listOf, recordOf, textOf } from "./client.ts";
import { nameIn } from "./connectors.ts";
import { type Printed, table } from "./output.ts";
import type { Verb } from "./verb.ts";

const TURNS: ReadonlySet<string> = new Set(["pause", "resume", "stop"]);

/** `backfill start NAME TABLE… [--where SQL] [--blocking] [--id ID]`, `backfill list NAME`, `backfill pause|resume|stop NAME ID`. */
export const backfill: Verb = async (target, { words, options, flags }) => {
  const [what = "", ...rest] = words;
  const name = nameIn(rest, `backfill ${what}`);
  const more = rest.slice(1);
  if (what === "list") {
    const data = recordOf(await ask(target, "GET", connectorPath(name, "/backfills")));
    return printed(data, listOf(data["backfills"]));
  }
  if (what === "start") {
    if (more.length === 0) throw new UsageError("backfill start needs NAME TABLE…");
    const { where } = options;
    const body = {
      kind: flags.has("blocking") ? "blocking" : "incremental",
      tables: more.map((t) => (where === undefined ? t : { table: t, where })),
      ...(options["id"] === undefined ? {} : { id: options["id"] }),
    };
    const data = await ask(target, "POST", connectorPath(name, "/backfills"), body);
    return printed(data, [data]);
  }
  const [id] = more;
  if (!TURNS.has(what) || id === undefined)
    throw new UsageError("backfill knows start NAME TABLE…, list NAME, and pause, resume, stop NAME ID");
  const data = await ask(target, "PUT", connectorPath(name, `/backfills/${encodeURIComponent(id)}/${what}`));
  return printed(data, [data]);
};
function printed(data: unknown, backfills: readonly unknown[]): Printed {
  const rows = backfills.map(recordOf).flatMap((b) =>
    listOf(b["tables"])
      .map(recordOf)
      .map((t) =>
        [b["id"], b["kind"], b["state"], t["table"], t["state"], t["rows"], t["reason"] ?? b["reason"]].map((v) => textOf(v ?? "")),
      ),
  );
  return { data, text: table(["id", "kind", "state", "table", "its state", "rows", "reason"], rows) };
}
