/** A partition changes folders while it is written to; nothing is lost, nothing is left behind. */
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { MemoryDisk } from "#broker/log/store/memory";
import { ErrorCode } from "#broker/protocol/errors";
import type { DiskLogManager } from "#broker/replication/log-manager";
import { batchOf, contents, fileDisk, openManager, TOPIC_ID, values } from "./fixture.ts";

const root = mkdtempSync(join(tmpdir(), "millrace-move-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const READ = { maxBytes: 64 << 20, minOneMessage: true, isolation: "read_uncommitted" } as const;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function everything(manager: DiskLogManager, topic: string): Promise<string[]> {
  const partition = manager.get(topic, 0);
  const all: string[] = [];
  for (let offset = 0; partition !== undefined && offset < partition.logEndOffset; ) {
    const read = contents((await partition.readAsync({ ...READ, offset })).records);
    all.push(...read);
    offset = Number(read.at(-1)?.split(":")[0]) + 1;
  }
  return all;
}

describe("moving a partition between folders", () => {
  test("while it is appended to; after a restart it is where it went", async () => {
    const [a, b] = [join(root, "a"), join(root, "b")];
    const first = await openManager({ disk: fileDisk, dirs: [a, b] });
    const config = { "segment.bytes": String(1 << 20) };
    const partition = first.manager.create("orders", 0, { topicId: TOPIC_ID, config });
    let written = 0;
    const append = (): void => void partition.append(batchOf(values(`${written++}:`.padEnd(50_000, "x"))), { origin: "client" });
    for (let i = 0; i < 100; i++) append();
    const from = partition.logDir;
    const to = from === a ? b : a;
    first.manager.moveTo("orders", 0, to);
    expect(
      first.manager
        .directories()
        .find(({ path }) => path === to)
        ?.arriving.map((each) => each.partition),
    ).toEqual([partition]);
    for (let i = 0; i < 20; i++) {
      append();
      await turn();
    }
    await vi.waitFor(() => expect(first.manager.get("orders", 0)?.moving).toBeNull(), 10_000);
    expect(partition.logDir).toBe(to);
    append();
    expect(await everything(first.manager, "orders")).toHaveLength(written);
    first.clock.advance(120_000);
    await turn();
    expect(readdirSync(from).filter((name) => name.startsWith("orders") && !name.endsWith("-delete"))).toEqual([]);
    await first.manager.close();

    const second = await openManager({ disk: fileDisk, dirs: [a, b] });
    const again = second.manager.get("orders", 0);
    expect([again?.logDir, again?.logEndOffset, again?.topicId]).toEqual([to, written, TOPIC_ID]);
    expect((await everything(second.manager, "orders"))[written - 1]).toContain(`${written - 1}:`);
    await second.manager.close();
  });

  test("unknown folders and partitions are refused; moving back gives the move up", async () => {
    const [a, b] = [join(root, "c"), join(root, "d")];
    const { manager } = await openManager({ disk: fileDisk, dirs: [a, b] });
    const partition = manager.create("t", 0, { topicId: TOPIC_ID, config: {} });
    for (let i = 0; i < 100; i++) partition.append(batchOf(values("x".repeat(50_000))), { origin: "client" });
    const from = partition.logDir;
    expect(() => manager.moveTo("t", 0, "/elsewhere")).toThrow(expect.objectContaining({ code: ErrorCode.LOG_DIR_NOT_FOUND }));
    expect(() => manager.moveTo("none", 0, b)).toThrow(expect.objectContaining({ code: ErrorCode.REPLICA_NOT_AVAILABLE }));
    manager.moveTo("t", 0, from === a ? b : a);
    manager.moveTo("t", 0, from);
    await vi.waitFor(() => expect(manager.get("t", 0)?.moving).toBeNull(), 10_000);
    expect(partition.logDir).toBe(from);
    expect(existsSync(join(from === a ? b : a, "t-0"))).toBe(false);
    await manager.close();
  });

  test("a crash after the new folder took the name: one of the two is used, the other goes", async () => {
    const disk = new MemoryDisk();
    const dirs = ["/a", "/b"];
    const first = await openManager({ disk, dirs });
    const partition = first.manager.create("t", 0, { topicId: TOPIC_ID, config: {} });
    partition.append(batchOf(values("x", "y")), { origin: "client" });
    const other = partition.logDir === "/a" ? "/b" : "/a";
    disk.makeDirectory(`${other}/t-0`);
    for (const name of disk.list(`${partition.logDir}/t-0`)) {
      disk.replaceFile(`${other}/t-0/${name}`, disk.readFile(`${partition.logDir}/t-0/${name}`));
    }
    disk.makeDirectory(`${other}/t-1.0123-future`);
    const second = await openManager({ disk, dirs });
    expect(second.manager.get("t", 0)?.logEndOffset).toBe(2);
    second.clock.advance(120_000);
    await turn();
    const left = dirs.flatMap((dir) => disk.list(dir)).filter((name) => name.startsWith("t-"));
    expect(left).toEqual(["t-0"]);
  });
});

describe("a folder that vanishes", () => {
  test("takes its partitions offline until it is back; the others stay", async () => {
    const dirs = [join(root, "e"), join(root, "f")];
    const { manager } = await openManager({ disk: fileDisk, dirs });
    const partitions = [0, 1].map((number) => manager.create("t", number, { topicId: TOPIC_ID, config: {} }));
    for (const partition of partitions) partition.append(batchOf(values("x")), { origin: "client" });
    const [lost = "", kept = ""] = partitions.map(({ logDir }) => logDir);
    expect(lost).not.toBe(kept);
    renameSync(lost, `${lost}.away`);
    manager.tasks.watchDirectories();
    const storageError = expect.objectContaining({ code: ErrorCode.KAFKA_STORAGE_ERROR });
    expect(() => partitions[0]?.append(batchOf(values("y")), { origin: "client" })).toThrow(storageError);
    expect(() => partitions[0]?.read({ ...READ, offset: 0 })).toThrow(storageError);
    expect(partitions[1]?.append(batchOf(values("y")), { origin: "client" }).baseOffset).toBe(1);
    expect(manager.directories().map(({ path, error }) => [path, error !== null])).toEqual(dirs.map((path) => [path, path === lost]));
    expect(manager.offlinePartitions).toBe(1);
    expect(manager.create("t", 2, { topicId: TOPIC_ID, config: {} }).logDir).toBe(kept);
    renameSync(`${lost}.away`, lost);
    manager.tasks.watchDirectories();
    expect(partitions[0]?.append(batchOf(values("y")), { origin: "client" }).baseOffset).toBe(1);
    await manager.close();
  });
});
