import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMessage, type PgOutputSink, type Relation } from "#connectors/postgres/pgoutput/decode";
import { FrameReader } from "#connectors/postgres/pgoutput/frames";
import { int64, lsnOf, lsnText, writeInt64 } from "#connectors/postgres/pgoutput/integers";
import { NULL_CELL, TupleScan, UNCHANGED_CELL } from "#connectors/postgres/pgoutput/tuple";

const frame = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};

describe("protocol messages cut out of a stream", () => {
  test("are the same however the stream is cut into chunks", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        (bodies, cuts) => {
          const stream = Buffer.concat(bodies.map((b) => frame("d", Buffer.from(b))));
          const reader = new FrameReader();
          const seen: string[] = [];
          for (let pos = 0, i = 0; pos < stream.length; i++) {
            const size = cuts[i % cuts.length] ?? 1;
            reader.input.feed(stream.subarray(pos, pos + size));
            pos += size;
            while (reader.next()) seen.push(reader.bytes.toString("hex", reader.start, reader.end));
          }
          expect(seen).toEqual(bodies.map((b) => Buffer.from(b).toString("hex")));
        },
      ),
    );
  });
  test("stay readable until they were let go, while the memory of those before is read into again", () => {
    const reader = new FrameReader();
    const memory = new Set<ArrayBufferLike>();
    /** What the queue holds: messages, and in between the chunks that nobody needs once these have been dealt with. */
    const held: { text: string; at: [Buffer, number, number] | null; left: readonly Buffer[] }[] = [];
    const row = (n: number): Buffer => frame("d", Buffer.from(`${n}:${"x".repeat(n % 3000)}`));
    const stream = Buffer.concat(Array.from({ length: 6000 }, (_, n) => row(n)));
    let n = 0;
    for (let pos = 0; pos < stream.length; ) {
      const room = reader.input.room();
      memory.add(room.buffer);
      const count = stream.copy(room, 0, pos, Math.min(stream.length, pos + Math.min(room.length, 70_001)));
      pos += count;
      reader.input.filled(count);
      for (; reader.next(); n++) held.push({ text: row(n).toString("latin1", 5), at: [reader.bytes, reader.start, reader.end], left: [] });
      const left = reader.input.takeLeft();
      if (left !== null) held.push({ text: "", at: null, left });
      while (held.length > 500) {
        const { text, at, left: free } = held.shift() as (typeof held)[number];
        if (at !== null) expect(at[0].toString("latin1", at[1], at[2])).toBe(text);
        reader.input.reuse(free);
      }
    }
    expect(n).toBe(6000);
    expect(memory.size).toBeLessThan(12);
  });
  test("a large message in many pieces is joined once", () => {
    const body = Buffer.alloc(3_000_000, 7);
    const stream = Buffer.concat([frame("d", body), frame("d", Buffer.from("x"))]);
    const reader = new FrameReader();
    const sizes: number[] = [];
    for (let pos = 0; pos < stream.length; pos += 65_536) {
      reader.input.feed(stream.subarray(pos, pos + 65_536));
      while (reader.next()) sizes.push(reader.end - reader.start);
    }
    expect(sizes).toEqual([3_000_000, 1]);
  });
  test("a length that no server sends is refused before anything is allocated", () => {
    const reader = new FrameReader();
    reader.input.feed(Buffer.from([0x64, 0x7f, 0xff, 0xff, 0xff]));
    expect(() => reader.next()).toThrow(RangeError);
  });
});

test("LSNs and times survive the way through 64-bit integers", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (n) => {
      const b = Buffer.alloc(8);
      writeInt64(b, 0, n);
      expect(int64(b, 0)).toBe(n);
      expect(lsnOf(lsnText(n))).toBe(n);
    }),
  );
  expect(lsnText(lsnOf("16/B374D848"))).toBe("16/B374D848");
});

const tuple = (...cells: (string | null | undefined)[]): Buffer => {
  const parts = [Buffer.from([0, cells.length])];
  for (const c of cells) {
    if (c === null) parts.push(Buffer.from("n"));
    else if (c === undefined) parts.push(Buffer.from("u"));
    else {
      const size = Buffer.alloc(5);
      size.write("t");
      size.writeInt32BE(Buffer.byteLength(c), 1);
      parts.push(size, Buffer.from(c));
    }
  }
  return Buffer.concat(parts);
};
const cellsOf = (scan: TupleScan, b: Buffer): (string | null | undefined)[] =>
  Array.from({ length: scan.count }, (_, i) => {
    const start = scan.starts[i] ?? NULL_CELL;
    return start === NULL_CELL ? null : start === UNCHANGED_CELL ? undefined : b.toString("utf8", start, scan.ends[i]);
  });

describe("rows", () => {
  test("of pgoutput: text, NULL and values that did not change", () => {
    const b = tuple("1", null, undefined, "", "日本");
    const scan = new TupleScan();
    expect(scan.scan(b, 0)).toBe(b.length);
    expect(cellsOf(scan, b)).toEqual(["1", null, undefined, "", "日本"]);
  });
  test.each([
    ["1\ta\t\\N\n", ["1", "a", null]],
    ["\\\\N\t\\N\n", ["\\N", null]],
    ["a\\tb\\nc\\\\d\\re\t\tx\n", ["a\tb\nc\\d\re", "", "x"]],
    ["\\\\x00ff\t\n", ["\\x00ff", ""]],
    ["\n", [""]],
  ])("of COPY: %j", (line, expected) => {
    const b = Buffer.from(line);
    const scan = new TupleScan();
    scan.scanCopy(b, 0, b.length - 1);
    expect(cellsOf(scan, b)).toEqual(expected);
  });
  test("of COPY with more columns than any seen before", () => {
    const values = Array.from({ length: 300 }, (_, i) => String(i));
    const b = Buffer.from(values.join("\t"));
    const scan = new TupleScan();
    scan.scanCopy(b, 0, b.length);
    expect(cellsOf(scan, b)).toEqual(values);
  });
});

/** Notes what it is told. */
class Notes implements PgOutputSink {
  readonly seen: unknown[] = [];
  relationSeen: Relation | null = null;
  begin(finalLsn: number, micros: number, xid: number): void {
    this.seen.push(["begin", finalLsn, micros, xid]);
  }
  commit(endLsn: number): void {
    this.seen.push(["commit", endLsn]);
  }
  relation(relation: Relation): void {
    this.relationSeen = relation;
  }
  insert(relation: number, b: Buffer, row: number): void {
    this.seen.push(["insert", relation, this.#cells(b, row)]);
  }
  update(relation: number, b: Buffer, oldRow: number, full: boolean, row: number): void {
    this.seen.push(["update", relation, oldRow < 0 ? null : this.#cells(b, oldRow), full, this.#cells(b, row)]);
  }
  delete(relation: number, b: Buffer, oldRow: number, full: boolean): void {
    this.seen.push(["delete", relation, this.#cells(b, oldRow), full]);
  }
  streamStart(xid: number): void {
    this.seen.push(["streamStart", xid]);
  }
  streamStop(): void {
    this.seen.push(["streamStop"]);
  }
  streamCommit(xid: number, endLsn: number, commitMicros: number): void {
    this.seen.push(["streamCommit", xid, endLsn, commitMicros]);
  }
  streamAbort(xid: number, subXid: number): void {
    this.seen.push(["streamAbort", xid, subXid]);
  }
  truncate(relations: readonly number[]): void {
    this.seen.push(["truncate", ...relations]);
  }
  message(transactional: boolean, lsn: number, prefix: string, content: Buffer): void {
    this.seen.push(["message", transactional, lsn, prefix, content.toString()]);
  }
  #cells(b: Buffer, pos: number): unknown {
    const scan = new TupleScan();
    scan.scan(b, pos);
    return cellsOf(scan, b);
  }
}
const int = (n: number): Buffer => {
  const b = Buffer.alloc(4);
  b.writeInt32BE(n);
  return b;
};
const long = (n: number): Buffer => {
  const b = Buffer.alloc(8);
  writeInt64(b, 0, n);
  return b;
};
const decoded = (...parts: (string | Buffer)[]): Notes => {
  const b = Buffer.concat(parts.map((p) => (typeof p === "string" ? Buffer.from(p) : p)));
  const notes = new Notes();
  decodeMessage(b, 0, b.length, notes);
  return notes;
};

describe("logical replication messages", () => {
  test("begin and commit", () => {
    expect(decoded("B", long(1000), long(5), int(42)).seen).toEqual([["begin", 1000, 946_684_800_000_005, 42]]);
    expect(decoded("C", Buffer.from([0]), long(900), long(1000), long(5)).seen).toEqual([["commit", 1000]]);
  });
  test("a relation names its columns and their types", () => {
    const notes = decoded(
      "R",
      int(7),
      "public\0",
      "t\0",
      "d",
      Buffer.from([0, 2]),
      Buffer.from([1]),
      "id\0",
      int(23),
      int(-1),
      Buffer.from([0]),
      "n\0",
      int(1700),
      int(524294),
    );
    expect(notes.relationSeen).toEqual({
      id: 7,
      schema: "public",
      table: "t",
      replicaIdentity: "d",
      columns: [
        { name: "id", typeOid: 23, typmod: -1, identity: true },
        { name: "n", typeOid: 1700, typmod: 524294, identity: false },
      ],
    });
  });
  test("changes, with and without the old row", () => {
    expect(decoded("I", int(7), "N", tuple("1", "x")).seen).toEqual([["insert", 7, ["1", "x"]]]);
    expect(decoded("U", int(7), "N", tuple("1", undefined)).seen).toEqual([["update", 7, null, false, ["1", undefined]]]);
    expect(decoded("U", int(7), "K", tuple("1", null), "N", tuple("2", "x")).seen).toEqual([["update", 7, ["1", null], false, ["2", "x"]]]);
    expect(decoded("D", int(7), "O", tuple("1", "x")).seen).toEqual([["delete", 7, ["1", "x"], true]]);
    expect(decoded("T", int(2), Buffer.from([0]), int(7), int(8)).seen).toEqual([["truncate", 7, 8]]);
  });
  test("parts of transactions in progress", () => {
    expect(decoded("S", int(9), Buffer.from([1])).seen).toEqual([["streamStart", 9]]);
    expect(decoded("E").seen).toEqual([["streamStop"]]);
    expect(decoded("c", int(9), Buffer.from([0]), long(70), long(77), long(5)).seen).toEqual([
      ["streamCommit", 9, 77, 946_684_800_000_005],
    ]);
    expect(decoded("A", int(9), int(11)).seen).toEqual([["streamAbort", 9, 11]]);
  });
  test("messages; what is of another version is refused", () => {
    expect(decoded("M", Buffer.from([1]), long(77), "audit\0", int(2), "hi").seen).toEqual([["message", true, 77, "audit", "hi"]]);
    expect(() => decoded("P", int(1))).toThrow(RangeError);
  });
});
