/**
 * Offsets of standalone mode (`offset.storage.file.filename`). One JSON line for each partition, key and value as in the offset
 * topic: `[["connector",{partition}],{offset}]`. The file of a Java worker (a serialised HashMap) is not read: it is refused.
 * Each write replaces the file through a synced temporary one, so that a crash leaves the old or the new content.
 */
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { ConfigError } from "../api/errors.ts";
import type { OffsetStore } from "../worker/types.ts";
import { offsetToJson, parseOffset, parseOffsetKey } from "./offset-json.ts";
import { OffsetTable } from "./offset-table.ts";

async function load(path: string, table: OffsetTable): Promise<void> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw new ConfigError(`Cannot read offset file ${path}`, error);
  }
  // 0xACED opens every Java object stream.
  if (bytes[0] === 0xac && bytes[1] === 0xed) {
    throw new ConfigError(`${path} was written by a Java worker; set offset.storage.file.filename to another file`);
  }
  for (const line of bytes.toString("utf8").split("\n")) {
    if (line === "") continue;
    const cut = line.lastIndexOf("],{");
    const key = parseOffsetKey(line.slice(1, cut + 1));
    const offset = parseOffset(line.slice(cut + 2, -1));
    if (key === null || offset === null) throw new ConfigError(`Offset file ${path} is damaged at: ${line.slice(0, 80)}`);
    table.set(key.connector, key.partition, offset);
  }
}
async function save(path: string, table: OffsetTable): Promise<void> {
  let text = "";
  for (const row of table.rows()) text += `[${row.key},${offsetToJson(row.offset)}]\n`;
  const temporary = `${path}.new`;
  const file = await open(temporary, "w");
  try {
    await file.writeFile(text);
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
  return {
    start: () => load(path, table),
    read: (connector, partitions) => Promise.resolve(partitions.map((p) => table.get(connector, p))),
    async write(connector, entries) {
      const next = saving.then(async () => {
        for (const { partition, offset } of entries) table.set(connector, partition, offset);
        await save(path, table);
      });
      saving = next.catch(() => {});
      await next;
    },
    list: (connector) => Promise.resolve(table.list(connector)),
    close: () => saving,
  };
}
