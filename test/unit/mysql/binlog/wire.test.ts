/** Packets cut anywhere, decimals, the ed25519 login, and what the server's errors mean. */
import { createPrivateKey, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { signEd25519 } from "#connectors/mysql/auth-ed25519";
import { decimalBytes, decimalText } from "#connectors/mysql/binlog/cells-decimal";
import { BinlogError } from "#connectors/mysql/binlog/failures";
import { PacketReader } from "#connectors/mysql/binlog/packets";
import { streamFailure } from "#connectors/mysql/replication-failures";

function packets(payload: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let p = 0, sequence = 0; ; sequence++) {
    const size = Math.min(0xffffff, payload.length - p);
    const head = Buffer.alloc(4);
    head.writeUIntLE(size, 0, 3);
    head[3] = sequence & 0xff;
    parts.push(head, payload.subarray(p, p + size));
    p += size;
    if (size < 0xffffff) return Buffer.concat(parts);
  }
}
function readAll(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const reader = new PacketReader();
  const out: Buffer[] = [];
  let p = 0;
  const take = (): void => {
    while (reader.next()) out.push(Buffer.from(reader.bytes.subarray(reader.start, reader.end)));
    reader.input.reuse(reader.input.takeLeft() ?? []);
  };
  for (const size of [...cuts, stream.length]) {
    const chunk = stream.subarray(p, Math.min(stream.length, p + size));
    p += chunk.length;
    if (size % 2 === 0) reader.input.feed(chunk);
    else
      for (let at = 0; at < chunk.length; ) {
        const room = reader.input.room();
        const n = chunk.copy(room, 0, at, Math.min(chunk.length, at + room.length));
        reader.input.filled(n);
        at += n;
        take();
      }
    take();
  }
  return out;
}

describe("packets", () => {
  test("cut anywhere", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 30 }),
        (sizes, cuts) => {
          const bodies = sizes.map((n, i) => Buffer.alloc(n, i + 1));
          const got = readAll(Buffer.concat(bodies.map(packets)), cuts);
          expect(got.map((b) => [b.length, b[0]])).toEqual(bodies.map((b) => [b.length, b[0]]));
        },
      ),
      { numRuns: 60 },
    );
  });
  test("payloads of several packets", () => {
    for (const size of [0xffffff - 1, 0xffffff, 0xffffff + 1, 0xffffff * 2 + 5]) {
      const body = Buffer.alloc(size, 7);
      body[0] = 0;
      body.writeUInt32LE(size - 1, 10);
      body[size - 1] = 9;
      const got = readAll(Buffer.concat([packets(body), packets(Buffer.from("next"))]), [100_001, 300_000]);
      expect(got.map((b) => [b.length, b.at(-1)])).toEqual([
        [size, 9],
        [4, 0x74],
      ]);
    }
  });
});

/** decimal2bin, written from its description: groups of nine digits, the left-over ones at the outer ends. */
function packed(digits: string, precision: number, scale: number, negative: boolean): Buffer {
  const whole = digits.slice(0, precision - scale),
    part = digits.slice(precision - scale);
  const SIZES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
  const groups = [
    whole.slice(0, whole.length % 9),
    ...(whole.slice(whole.length % 9).match(/.{9}/g) ?? []),
    ...(part.match(/.{1,9}/g) ?? []),
  ];
  const b = Buffer.concat(
    groups
      .filter((g) => g !== "")
      .map((g) => {
        const size = SIZES[g.length] ?? 0;
        const out = Buffer.alloc(size);
        out.writeUIntBE(Number(g), 0, size);
        return out;
      }),
  );
  if (negative) for (let i = 0; i < b.length; i++) b[i] = ~(b[i] ?? 0) & 0xff;
  b[0] = (b[0] ?? 0) ^ 0x80;
  return b;
}
test("decimals of any precision and scale", () => {
  const shape = fc
    .integer({ min: 1, max: 65 })
    .chain((precision) =>
      fc.tuple(
        fc.constant(precision),
        fc.integer({ min: 0, max: Math.min(30, precision) }),
        fc.array(fc.nat(9), { minLength: precision, maxLength: precision }),
        fc.boolean(),
      ),
    );
  fc.assert(
    fc.property(shape, ([precision, scale, digitList, negative]) => {
      const digits = digitList.join("");
      const b = packed(digits, precision, scale, negative);
      expect(b.length).toBe(decimalBytes(precision, scale));
      const whole = digits.slice(0, precision - scale).replace(/^0+(?=\d)/, "") || "0";
      const text = `${negative ? "-" : ""}${whole}${scale > 0 ? `.${digits.slice(precision - scale)}` : ""}`;
      expect(decimalText(b, 0, b.length, precision, scale)).toBe(text);
      expect(() => decimalText(b, 1, b.length, precision, scale)).toThrow(BinlogError);
    }),
    { numRuns: 500 },
  );
});

test("ed25519: with a password of 32 bytes it is the signature that everybody makes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed, scramble) => {
      const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
      const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
      expect(signEd25519(seed, scramble).equals(sign(null, scramble, key))).toBe(true);
    }),
    { numRuns: 5 },
  );
});

test("what the server's errors mean", () => {
  const of = (errno: number, message: string): unknown => streamFailure({ errno, message, sqlState: "HY000" });
  expect(of(1236, "Could not find first log file name in binary log index file")).toMatchObject({ code: "purged", transient: false });
  expect(of(1236, "Cannot replicate anonymous transaction when AUTO_POSITION = 1, at file ./binlog.000003, position 198.")).toMatchObject({
    code: "anonymous",
    transient: false,
    message: expect.stringContaining("set gtid_mode=OFF_PERMISSIVE") as string,
  });
  expect(of(1236, "Cannot replicate because the source purged required binary logs.")).toMatchObject({ code: "purged" });
  expect(of(1236, "A slave with the same server_uuid/server_id as this slave has connected to the master")).toMatchObject({
    code: "server-id-taken",
  });
  expect(of(1236, "Binary log is not open")).toMatchObject({ code: "binlog-off" });
  expect(of(1227, "Access denied; you need REPLICATION SLAVE")).toMatchObject({ code: "rights", errno: 1227 });
  expect(of(1053, "Server shutdown in progress")).toMatchObject({ code: "connection", transient: true });
  expect(streamFailure(Object.assign(new Error("x"), { code: "ECONNRESET", errno: -104 }))).toMatchObject({ transient: true, errno: 0 });
  expect(streamFailure(new BinlogError("checksum", "x"))).toMatchObject({ code: "corrupt", transient: true });
  expect(streamFailure(new BinlogError("corrupt", "x"))).toMatchObject({ code: "corrupt", transient: false });
});
