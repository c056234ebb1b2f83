/**
 * Offsets of standalone mode (`offset.storage.file.filename`), in the format of the JVM's worker: a serialised HashMap from
 * `["connector",{partition}]` to the offset, both as JSON. The file can be taken over from one and given back to it. Each write
 * replaces the file through a synced temporary one, so that a crash leaves the old or the new content.
 */
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { ConfigError } from "../api/errors.ts";
import type { OffsetStore } from "../worker/types.ts";
import { type BytePair, decodeHashMap, encodeHashMap, isJavaStream } from "./java-hash-map.ts";
import { offsetToJson, parseOffset, parseOffsetKey } from "./offset-json.ts";
import { OffsetTable } from "./offset-table.ts";

/** Answers the entries that are no offsets of ours to read; they are kept. */
async function load(path: string, table: OffsetTable): Promise<readonly BytePair[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw new ConfigError(`Cannot read offset file ${path}`, error);
  }
  if (bytes.length === 0) return [];
  if (!isJavaStream(bytes)) {
    loadLines(path, bytes.toString("utf8"), table);
    return [];
  }
  let pairs: readonly BytePair[];
  try {
    pairs = decodeHashMap(bytes);
  } catch (error) {
    throw new ConfigError(`Offset file ${path} is damaged`, error);
  }
  return pairs.filter(([keyBytes, valueBytes]) => {
    const text = keyBytes.toString();
    const key = parseOffsetKey(text);
    const offset = valueBytes === null ? null : parseOffset(valueBytes.toString());
    if (key === null || (offset === null && valueBytes !== null)) return true;
    table.set(key.connector, key.partition, offset, text);
    return false;
  });
}
/** The form of former versions: one JSON line `[["connector",{partition}],{offset}]` for each partition. */
function loadLines(path: string, text: string, table: OffsetTable): void {
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const cut = line.lastIndexOf("],{");
    const key = parseOffsetKey(line.slice(1, cut + 1));
    const offset = parseOffset(line.slice(cut + 2, -1));
    if (key === null || offset === null) throw new ConfigError(`Offset file ${path} is damaged at: ${line.slice(0, 80)}`);
    table.set(key.connector, key.partition, offset);
  }
}
async function save(path: string, table: OffsetTable, foreign: readonly BytePair[]): Promise<void> {
  const pairs: BytePair[] = [...foreign];
  for (const row of table.rows()) pairs.push([Buffer.from(row.key), Buffer.from(offsetToJson(row.offset))]);
  const temporary = `${path}.new`;
  const file = await open(temporary, "w");
  try {
    await file.writeFile(encodeHashMap(pairs));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function fileOffsetStore(path: string): OffsetStore {
  const table = new OffsetTable();
  let saving: Promise<void> = Promise.resolve();
  let foreign: readonly BytePair[] = [];
  return {
    async start() {
      foreign = await load(path, table);
    },
    read: (connector, partitions) => Promise.resolve(partitions.map((p) => table.get(connector, p))),
    async write(connector, entries) {
      const next = saving.then(async () => {
        for (const { partition, offset } of entries) table.set(connector, partition, offset);
        await save(path, table, foreign);
      });
      // Whoever asked for this write has its failure; the next one writes the whole table anew.
      saving = next.catch(() => {});
      await next;
    },
    list: (connector) => Promise.resolve(table.list(connector)),
    close: () => saving,
  };
}
