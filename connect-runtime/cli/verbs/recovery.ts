/** `dlq`, `rewind`, `state`: what failed, where a connector goes on from, and carrying that elsewhere. */
import { readFile } from "node:fs/promises";
import { text as textOfStream } from "node:stream/consumers";
import { UsageError } from "../arguments.ts";
import { exactJson, toJson } from "../../rest/json.ts";
import { ask, CommandError, connectorPath, isRecord, listOf, recordOf, type Target, textOf } from "./client.ts";
import { nameIn } from "./connectors.ts";
import { pairs, type Printed, table } from "./output.ts";
import type { Verb } from "./verb.ts";

/** `dlq [list] NAME`, `dlq show NAME PARTITION/OFFSET`, `dlq replay NAME [--record PARTITION/OFFSET …] [--topic TOPIC]`. */
export const dlq: Verb = async (target, { words, lists, options }) => {
  const [first, ...rest] = words;
  if (first === "replay") return replay(target, nameIn(rest, "dlq replay"), lists["record"] ?? [], options["topic"]);
  if (first === "show") return shown(target, nameIn(rest, "dlq show"), rest.at(-1) ?? "");
  // A connector may be called "list".
  const name = nameIn(first === "list" && rest.length > 0 ? rest : words, "dlq list");
  const query = options["records"] === undefined ? "" : `?limit=${encodeURIComponent(options["records"])}`;
  const data = recordOf(await ask(target, "GET", connectorPath(name, `/dlq${query}`)));
  const rows = listOf(data["records"])
    .map(recordOf)
    .map((r) => {
      const error = recordOf(r["error"]);
      return [
        `${textOf(r["partition"])}/${textOf(r["offset"])}`,
        origin(error),
        textOf(error["stage"]),
        textOf(error["exception.message"]),
        textOf(r["value"]),
      ];
    });
  return {
    data,
    text: `${textOf(data["depth"])} records in ${textOf(data["topic"])}\n${table(["record", "from", "stage", "cause", "value"], rows)}`,
  };
};
const origin = (error: Readonly<Record<string, unknown>>): string =>
  error["topic"] === undefined ? "" : `${textOf(error["topic"])}-${textOf(error["partition"])}@${textOf(error["offset"])}`;

/** PARTITION/OFFSET. Throws UsageError. */
function place(text: string, what: string): { readonly partition: number; readonly offset: number } {
  const m = /^(\d+)\/(\d+)$/.exec(text);
  if (m === null) throw new UsageError(`${what} needs PARTITION/OFFSET, got "${text}"`);
  return { partition: Number(m[1]), offset: Number(m[2]) };
}
/** One record with all that is known of its failure. */
async function shown(target: Target, name: string, at: string): Promise<Printed> {
  const { partition, offset } = place(at, "dlq show");
  const data = recordOf(await ask(target, "GET", connectorPath(name, `/dlq?partition=${partition}&from=${offset}&limit=1`)));
  const record = listOf(data["records"])
    .map(recordOf)
    .find((r) => Number(r["partition"]) === partition && Number(r["offset"]) === offset);
  if (record === undefined) throw new CommandError(`${textOf(data["topic"])} has no record ${at}`);
  const { error, ...own } = record;
  const entries = [...Object.entries(own), ...Object.entries(recordOf(error)).map(([k, v]) => [`error ${k}`, v] as const)];
  return { data: record, text: pairs(entries.map(([k, v]) => [k, textOf(v)] as const)) };
}
async function replay(target: Target, name: string, records: readonly string[], topic: string | undefined): Promise<Printed> {
  const chosen = records.map((text) => place(text, "--record"));
  const body = { ...(chosen.length === 0 ? {} : { records: chosen }), ...(topic === undefined ? {} : { topic }) };
  const data = recordOf(await ask(target, "POST", connectorPath(name, "/dlq/replay"), body));
  return { data, text: `Sent ${textOf(data["replayed"])} records` };
}
/** `rewind NAME [--to beginning|FILE]`: the file holds `offsets` as `get offsets NAME -o json` and `state export` print them. */
export const rewind: Verb = async (target, { words, options }) => {
  const name = nameIn(words, "rewind");
  const { to = "beginning" } = options;
  const body = to === "beginning" ? { to } : { offsets: offsetsOf(await jsonIn(to), to) };
  const data = recordOf(await ask(target, "POST", connectorPath(name, "/rewind"), body));
  return { data, text: textOf(data["message"]) };
};
/** `state export NAME`, `state import NAME -f FILE`. */
export const state: Verb = async (target, { words, lists }) => {
  const [what, ...rest] = words;
  if (what === "export") {
    const data = await ask(target, "GET", connectorPath(nameIn(rest, "state export"), "/state"));
    return { data, text: toJson(data, 2) };
  }
  if (what !== "import") throw new UsageError("state knows export NAME and import NAME -f FILE");
  const name = nameIn(rest, "state import");
  const [file] = lists["file"] ?? [];
  if (file === undefined) throw new UsageError("state import needs -f FILE");
  const data = recordOf(await ask(target, "PUT", connectorPath(name, "/state"), { offsets: offsetsOf(await jsonIn(file), file) }));
  return { data, text: textOf(data["message"]) };
};
/** A file's JSON, `-` is standard input. Throws CommandError. */
async function jsonIn(file: string): Promise<unknown> {
  try {
    return exactJson(file === "-" ? await textOfStream(process.stdin) : await readFile(file, "utf8"));
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
function offsetsOf(json: unknown, file: string): readonly unknown[] {
  const offsets = isRecord(json) ? json["offsets"] : json;
  if (!Array.isArray(offsets)) throw new CommandError(`${file} has no "offsets": [{"partition": {…}, "offset": {…}}, …]`);
  return offsets;
}
