/** What a connector with a schema history leaves behind when it is deleted. */
import { rm } from "node:fs/promises";
import { confine, fileRoots } from "#connect/api/confinement";
import type { Leftover } from "#connect/api/diagnosis";
import type { Settings } from "../settings.ts";
import { historyPlace } from "./open.ts";

const KIND = "schema-history";
const SHARED = "several connectors may keep theirs in it";

/** Nothing in the database is the connector's own; rows of the signal table are the user's. */
export function historyLeftovers(s: Settings): readonly Leftover[] {
  const place = historyPlace(s);
  if (place === null) return [];
  const { kind, name } = place;
  if (kind === "file") return [{ kind: KIND, name, detail: `file with the schema history; ${SHARED}`, sql: [], ours: false }];
  const detail = `topic with the schema history at ${place.servers}, and what is beside it; ${SHARED}`;
  const topics = { names: [name, checkpointOf(name)], client: { ...place.producer, "bootstrap.servers": place.servers } };
  return [{ kind: KIND, name, detail, sql: [], ours: false, topics }];
}
const checkpointOf = (name: string): string => `${name}.checkpoint`;
/** The files; topics are removed by the runtime. */
export async function removeHistory(leftover: Leftover): Promise<void> {
  if (leftover.kind !== KIND) throw new Error(`unknown kind ${leftover.kind}`);
  const roots = fileRoots(process.env);
  for (const path of [leftover.name, checkpointOf(leftover.name)]) await rm(await confine(path, roots), { force: true });
}
