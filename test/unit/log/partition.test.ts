import { describe, expect, it } from "vitest";
import { ErrorCode, KafkaError } from "#broker/protocol/errors";
import { DiskFault, MemoryDisk } from "#broker/log/store/memory";
import { InvalidRecordsError } from "#broker/replication/partition-errors";
import { batchOf, contents, openManager, TOPIC_ID, values } from "./fixture.ts";

const READ = { maxBytes: 1 << 20, minOneMessage: true, isolation: "read_uncommitted" } as const;
const NOW_MS = 1_700_000_000_000;
async function open(config: Record<string, string> = {}, brokerConfig: Record<string, string> = {}) {
  const disk = new MemoryDisk();
  const opened = await openManager({ disk, brokerConfig });
  return { ...opened, disk, partition: opened.manager.create("t", 0, { topicId: TOPIC_ID, config }) };
}
function failure(run: () => unknown): KafkaError {
  try {
    run();
  } catch (error) {
    if (error instanceof KafkaError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("what a partition takes", () => {
  it("checks CRC, shape, magic and size", async () => {
    const { partition: p } = await open({ "max.message.bytes": "500" });
    const flipped = batchOf(values("x"));
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    const old = batchOf(values("x"));
    old[16] = 1;
    const append = (records: Buffer) => failure(() => p.append(records, { origin: "client" })).code;
    expect(append(flipped)).toBe(ErrorCode.CORRUPT_MESSAGE);
    expect(append(batchOf(values("x")).subarray(0, 65))).toBe(ErrorCode.CORRUPT_MESSAGE);
    expect(append(Buffer.from("nonsense"))).toBe(ErrorCode.CORRUPT_MESSAGE);
    expect(append(old)).toBe(ErrorCode.INVALID_RECORD);
    expect(append(Buffer.alloc(0))).toBe(ErrorCode.INVALID_RECORD);
    expect(append(batchOf(values("x".repeat(600))))).toBe(ErrorCode.MESSAGE_TOO_LARGE);
    expect(p.logEndOffset).toBe(0);
  });
  it("wants keys in compacted topics, whatever the codec, and says which record has none", async () => {
    const { partition: p } = await open({ "cleanup.policy": "compact" });
    for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"] as const) {
      const error = failure(() => p.append(batchOf([{ key: "k", value: "v" }, { value: "v" }], {}, codec), { origin: "client" }));
      expect(error).toBeInstanceOf(InvalidRecordsError);
      expect(error.code).toBe(ErrorCode.INVALID_RECORD);
      expect((error as InvalidRecordsError).recordErrors).toMatchObject([{ batchIndex: 1 }]);
    }
    p.append(batchOf([{ key: "k", value: null }]), { origin: "client" });
    expect(p.logEndOffset).toBe(1);
  });
  it("bounds timestamps, and stamps them under LogAppendTime", async () => {
    const { partition: p } = await open({ "message.timestamp.before.max.ms": "1000" });
    const at = (timestampMs: number) => batchOf([{ key: "k", value: "v", timestampMs }]);
    expect(failure(() => p.append(at(NOW_MS - 1001), { origin: "client" })).code).toBe(ErrorCode.INVALID_TIMESTAMP);
    expect(failure(() => p.append(at(NOW_MS + 3_600_001), { origin: "client" })).code).toBe(ErrorCode.INVALID_TIMESTAMP);
    p.append(at(NOW_MS - 1000), { origin: "client" });
    p.updateConfig({ "message.timestamp.type": "LogAppendTime" });
    expect(p.append(at(5), { origin: "client" }).logAppendTimeMs).toBe(NOW_MS);
    expect(p.offsetForTime(NOW_MS, "read_uncommitted")).toMatchObject({ offset: 1, timestampMs: NOW_MS });
  });
  it("recompresses when compression.type says so", async () => {
    const { partition: p } = await open({ "compression.type": "gzip" });
    for (const codec of ["none", "snappy", "gzip"] as const) p.append(batchOf(values("a".repeat(400)), {}, codec), { origin: "client" });
    const { records } = p.read({ ...READ, offset: 0 });
    expect(contents(records).map((line) => line.length)).toEqual([803, 803, 803]);
    expect(records.length).toBeLessThan(600);
    p.updateConfig({ "compression.type": "uncompressed" });
    p.append(batchOf(values("b"), {}, "zstd"), { origin: "client" });
    expect(contents(p.read({ ...READ, offset: 3 }).records)).toEqual(["3:b=b"]);
  });
  it("fences by leader epoch and answers where epochs ended", async () => {
    const { partition: p } = await open();
    p.append(batchOf(values("a", "b")), { origin: "client", leaderEpoch: 0 });
    p.setLeaderEpoch(3);
    p.append(batchOf(values("c")), { origin: "client", leaderEpoch: 3 });
    expect(failure(() => p.append(batchOf(values("d")), { origin: "client", leaderEpoch: 0 })).code).toBe(ErrorCode.FENCED_LEADER_EPOCH);
    expect(failure(() => p.read({ ...READ, offset: 0, leaderEpoch: 4 })).code).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH);
    expect(p.offsetForLeaderEpoch(0)).toEqual({ leaderEpoch: 0, endOffset: 2 });
    expect(p.offsetForLeaderEpoch(2)).toEqual({ leaderEpoch: 0, endOffset: 2 });
    expect(p.offsetForLeaderEpoch(3)).toEqual({ leaderEpoch: 3, endOffset: 3 });
    expect(p.offsetForLeaderEpoch(9)).toEqual({ leaderEpoch: -1, endOffset: -1 });
  });
});

describe("what a partition gives", () => {
  it("reads whole batches within maxBytes, the first one whatever its size", async () => {
    const { partition: p } = await open({ "segment.bytes": "4000", "index.interval.bytes": "100" });
    for (let i = 0; i < 100; i++) p.append(batchOf(values(`${i}-1`, `${i}-2`)), { origin: "client" });
    const size = batchOf(values("10-1", "10-2")).length;
    expect(contents(p.read({ ...READ, offset: 21, maxBytes: 1 }).records)).toEqual(["20:10-1=10-1", "21:10-2=10-2"]);
    expect(p.read({ ...READ, offset: 21, maxBytes: size - 1, minOneMessage: false }).records).toHaveLength(0);
    expect(contents(p.read({ ...READ, offset: 20, maxBytes: 3 * size + 5 }).records)).toHaveLength(6);
    let offset = 0;
    const seen: string[] = [];
    while (offset < p.logEndOffset) {
      const lines = contents((await p.readAsync({ ...READ, offset, maxBytes: 500 })).records);
      seen.push(...lines);
      offset = Number(lines.at(-1)?.split(":")[0]) + 1;
    }
    expect(seen).toHaveLength(200);
    expect(p.read({ ...READ, offset: 200 }).records).toHaveLength(0);
    expect(failure(() => p.read({ ...READ, offset: 201 })).code).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
  });
  it("finds offsets by time", async () => {
    const { partition: p } = await open({ "segment.bytes": "1000", "index.interval.bytes": "100" });
    expect(p.offsetForTime(-3, "read_uncommitted").offset).toBe(-1);
    for (let i = 0; i < 100; i++) {
      const time = i === 50 ? NOW_MS + 1000 : NOW_MS + i;
      p.append(
        batchOf([
          { value: "a", timestampMs: NOW_MS - 5 },
          { value: "b", timestampMs: time },
        ]),
        { origin: "client" },
      );
    }
    expect(p.offsetForTime(-1, "read_uncommitted").offset).toBe(200);
    expect(p.offsetForTime(-2, "read_uncommitted")).toEqual({ timestampMs: -1, offset: 0, leaderEpoch: 0 });
    expect(p.offsetForTime(-3, "read_uncommitted")).toMatchObject({ timestampMs: NOW_MS + 1000, offset: 101 });
    expect(p.offsetForTime(-5, "read_uncommitted").offset).toBe(-1);
    expect(p.offsetForTime(0, "read_uncommitted")).toMatchObject({ offset: 0, timestampMs: NOW_MS - 5 });
    expect(p.offsetForTime(NOW_MS + 49, "read_uncommitted")).toMatchObject({ offset: 99, timestampMs: NOW_MS + 49 });
    expect(p.offsetForTime(NOW_MS + 50, "read_uncommitted")).toMatchObject({ offset: 101, timestampMs: NOW_MS + 1000 });
    expect(p.offsetForTime(NOW_MS + 2000, "read_uncommitted").offset).toBe(-1);
  });
  it("names damaged data and never serves it; what is before and after stays readable", async () => {
    const { partition: p, disk, manager, clock } = await open({ "segment.bytes": "600" });
    for (let i = 0; i < 20; i++) p.append(batchOf(values(`v${i}`)), { origin: "client" });
    await manager.close();
    const size = batchOf(values("v0")).length;
    disk.flipBit("/data/t-0/00000000000000000000.log", 2 * size + 65, 3);
    const again = (await openManager({ disk, clock })).manager.get("t", 0);
    if (again === undefined) throw new Error("partition missing");
    expect(contents(again.read({ ...READ, offset: 0 }).records)).toEqual(["0:v0=v0", "1:v1=v1"]);
    const error = failure(() => again.read({ ...READ, offset: 2 }));
    expect(error.code).toBe(ErrorCode.CORRUPT_MESSAGE);
    expect(error.message).toContain("t-0/00000000000000000000.log");
    expect(contents(again.read({ ...READ, offset: 3, maxBytes: 1 }).records)).toEqual(["3:v3=v3"]);
  });
  it("survives a damaged offset index", async () => {
    const { partition: p, disk, manager, clock } = await open({ "segment.bytes": "3000", "index.interval.bytes": "100" });
    for (let i = 0; i < 100; i++) p.append(batchOf(values(`v${i}`)), { origin: "client" });
    await manager.close();
    const index = "/data/t-0/00000000000000000000.index";
    for (let position = 6; position < disk.sizeOf(index); position += 8) disk.flipBit(index, position, 1);
    const again = (await openManager({ disk, clock })).manager.get("t", 0);
    for (let offset = 0; offset < 100; offset++) {
      expect(contents(again?.read({ ...READ, offset, maxBytes: 1 }).records ?? Buffer.alloc(0))).toEqual([
        `${offset}:v${offset}=v${offset}`,
      ]);
    }
  });
  it("deletes records and remembers the start over a crash", async () => {
    const { partition: p, disk, clock, manager } = await open({ "segment.bytes": "300" });
    for (let i = 0; i < 10; i++) p.append(batchOf(values(`v${i}`)), { origin: "client" });
    expect(p.deleteRecords(4)).toBe(4);
    expect(failure(() => p.read({ ...READ, offset: 3 })).code).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
    expect(failure(() => p.deleteRecords(11)).code).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
    clock.advance(1000);
    const before = p.sizeBytes;
    manager.tasks.runRetention();
    expect(p.sizeBytes).toBeLessThan(before);
    const again = (await openManager({ disk, clock })).manager.get("t", 0);
    expect(again?.logStartOffset).toBe(4);
    expect(again?.deleteRecords(-1)).toBe(10);
    expect(again?.read({ ...READ, offset: 10 }).records).toHaveLength(0);
  });
});

describe("disk faults", () => {
  it("a full disk refuses the append, keeps the log whole, and heals", async () => {
    const { partition: p, disk } = await open();
    p.append(batchOf(values("a")), { origin: "client" });
    disk.fault = (operation, path) => {
      if (operation === "write" && path.endsWith(".log")) throw new DiskFault("ENOSPC", path);
    };
    expect(failure(() => p.append(batchOf(values("b")), { origin: "client" })).code).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(contents(p.read({ ...READ, offset: 0 }).records)).toEqual(["0:a=a"]);
    disk.fault = null;
    expect(p.append(batchOf(values("c")), { origin: "client" }).baseOffset).toBe(1);
    expect(contents(p.read({ ...READ, offset: 0 }).records)).toEqual(["0:a=a", "1:c=c"]);
  });
  it("flush.messages=1 reports a failed fsync", async () => {
    const { partition: p, disk } = await open({ "flush.messages": "1" });
    disk.fault = (operation, path) => {
      if (operation === "sync" && path.endsWith(".log")) throw new DiskFault("EIO", path);
    };
    expect(failure(() => p.append(batchOf(values("b")), { origin: "client" })).code).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
  });
});
