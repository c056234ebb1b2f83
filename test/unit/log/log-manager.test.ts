import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { batchOf, contents, fileDisk, openManager, TOPIC_ID, values } from "./fixture.ts";

const root = mkdtempSync(join(tmpdir(), "millrace-log-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const READ = { maxBytes: 1 << 20, minOneMessage: true, isolation: "read_uncommitted" } as const;

describe("log manager on the real disk", () => {
  it("creates, appends, reads, and finds everything again after a clean restart", async () => {
    const dirs = [join(root, "a"), join(root, "b")];
    const first = await openManager({ disk: fileDisk, dirs });
    const partition = first.manager.create("orders", 0, { topicId: TOPIC_ID, config: {} });
    first.manager.create("orders", 1, { topicId: TOPIC_ID, config: {} });
    expect(partition.append(batchOf(values("x", "y")), { origin: "client" })).toEqual({
      baseOffset: 0,
      lastOffset: 1,
      logAppendTimeMs: -1,
      logStartOffset: 0,
      duplicate: false,
    });
    partition.append(batchOf(values("z"), {}, "gzip"), { origin: "client" });
    expect(contents(partition.read({ ...READ, offset: 1 }).records)).toEqual(["0:x=x", "1:y=y", "2:z=z"]);
    expect(first.manager.directories().map((each) => each.partitions.length)).toEqual([1, 1]);
    await first.manager.close();

    const second = await openManager({ disk: fileDisk, dirs });
    const again = second.manager.get("orders", 0);
    expect(again?.topicId).toBe(TOPIC_ID);
    expect(again?.logEndOffset).toBe(3);
    expect(again?.log.scannedSegments).toBe(0);
    expect(contents(again?.read({ ...READ, offset: 2 }).records ?? Buffer.alloc(0))).toEqual(["2:z=z"]);
    await second.manager.close();
  });

  it("scans and cuts a torn tail when nobody shut it down", async () => {
    const dirs = [join(root, "torn")];
    const first = await openManager({ disk: fileDisk, dirs });
    const partition = first.manager.create("t", 0, { topicId: TOPIC_ID, config: {} });
    for (let i = 0; i < 100; i++) partition.append(batchOf(values(`v${i}`)), { origin: "client" });
    const path = join(root, "torn", "t-0", "00000000000000000000.log");
    const file = fileDisk.open(path, "existing");
    file.truncate(file.size() - 7);
    file.close();

    const { manager } = await openManager({ disk: fileDisk, dirs });
    const again = manager.get("t", 0);
    expect(again?.logEndOffset).toBe(99);
    expect(again?.log.cutBytes).toBeGreaterThan(0);
    expect(again?.append(batchOf(values("next")), { origin: "client" }).baseOffset).toBe(99);
    await manager.close();
  });

  it("writes index entries behind, for tools that look while it runs", async () => {
    const { manager } = await openManager({ disk: fileDisk, dirs: [join(root, "indexes")] });
    const partition = manager.create("t", 0, { topicId: TOPIC_ID, config: { "index.interval.bytes": "100" } });
    for (let i = 0; i < 10; i++) partition.append(batchOf(values("v".repeat(200))), { origin: "client" });
    const sizeOf = (suffix: string): number => fileDisk.sizeOf(join(root, "indexes", "t-0", `00000000000000000000${suffix}`));
    manager.tasks.writeIndexes();
    expect(sizeOf(".index")).toBe(9 * 8);
    expect(sizeOf(".timeindex")).toBeGreaterThanOrEqual(12);
    await manager.close();
  });

  it("removes a deleted partition's files after the delay and never loads them again", async () => {
    const dirs = [join(root, "del")];
    const { manager, clock } = await openManager({ disk: fileDisk, dirs });
    const partition = manager.create("gone", 0, { topicId: TOPIC_ID, config: {} });
    partition.append(batchOf(values("x")), { origin: "client" });
    manager.delete("gone", 0);
    expect(manager.get("gone", 0)).toBeUndefined();
    expect(() => partition.append(batchOf(values("y")), { origin: "client" })).toThrowError(/deleted/);
    expect(fileDisk.list(dirs[0] ?? "").filter((name) => name.startsWith("gone"))).toHaveLength(1);
    const again = await openManager({ disk: fileDisk, dirs });
    expect([...again.manager.all()]).toHaveLength(0);
    clock.advance(60_000);
  });

  it("refuses a directory of another cluster", async () => {
    const dirs = [join(root, "foreign")];
    fileDisk.makeDirectory(dirs[0] ?? "");
    fileDisk.replaceFile(`${dirs[0]}/meta.properties`, Buffer.from("cluster.id=other\nnode.id=1\nversion=1\n"));
    await expect(openManager({ disk: fileDisk, dirs })).rejects.toThrowError(/belongs to cluster other/);
  });
});
