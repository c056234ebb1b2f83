import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameAssembler } from "#broker/network/frame-assembler";
import { BufferPool } from "#broker/base/buffer-pool";
import { ProtocolError } from "#broker/protocol/errors";

const framed = (body: Buffer): Buffer => {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
};
const collect = (bytesMax: number): { assembler: FrameAssembler; frames: Buffer[] } => {
  const frames: Buffer[] = [];
  return { assembler: new FrameAssembler(bytesMax, new BufferPool(1 << 24), (frame) => frames.push(frame)), frames };
};

describe("frame assembler", () => {
  test("gives the frames that were sent, however the stream is cut", () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 8, maxLength: 300 }), { maxLength: 12 });
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 50 }), (sent, cuts) => {
        const stream = Buffer.concat(sent.map((body) => framed(Buffer.from(body))));
        const { assembler, frames } = collect(1000);
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const count = cuts[turn % cuts.length] ?? 1;
          assembler.push(stream.subarray(at, at + count));
          at += count;
        }
        expect(frames.map((frame) => frame.toString("hex"))).toEqual(sent.map((body) => Buffer.from(body).toString("hex")));
        expect(assembler.pendingBytes).toBe(0);
      }),
    );
  });
  test("says whether a frame that was handed on is a view on the chunk", () => {
    const { assembler, frames } = collect(1000);
    const stream = Buffer.concat([framed(Buffer.alloc(100, 1)), framed(Buffer.alloc(50, 2)), framed(Buffer.alloc(100, 3))]);
    const shared = [60, 104, 200, stream.length].map((end, i, ends) => {
      assembler.push(stream.subarray(ends[i - 1] ?? 0, end));
      return assembler.shared;
    });
    expect(shared).toEqual([false, false, true, false]);
    expect(frames.map((frame) => frame.length)).toEqual([100, 50, 100]);
  });
  test.each([-1, 0, 7, 1001, 0x7fff_ffff, -0x8000_0000])("refuses a size of %i before it allocates", (size) => {
    const { assembler, frames } = collect(1000);
    const head = Buffer.alloc(4);
    head.writeInt32BE(size);
    expect(() => assembler.push(head)).toThrow(ProtocolError);
    expect(assembler.pendingBytes).toBe(0);
    expect(frames).toEqual([]);
  });
  test("a large frame costs memory only as it comes", () => {
    const size = 64 << 20;
    const { assembler, frames } = collect(100 << 20);
    const head = Buffer.alloc(4);
    head.writeInt32BE(size);
    assembler.push(head);
    assembler.push(Buffer.alloc(10));
    expect(assembler.pendingBytes).toBeLessThanOrEqual(2 << 20);
    const chunk = Buffer.alloc(1 << 20, 7);
    for (let sent = 10; sent < size; sent += chunk.length) assembler.push(chunk.subarray(0, Math.min(chunk.length, size - sent)));
    expect(frames).toHaveLength(1);
    expect(frames[0]?.length).toBe(size);
    expect(frames[0]?.[size - 1]).toBe(7);
  });
  test("a buffer that was given back is used again, one of a socket's chunk never", () => {
    const buffers = new BufferPool(1 << 20);
    const first = buffers.take(100_000);
    buffers.giveBack(first.subarray(0, 100_000));
    expect(buffers.take(90_000).buffer).toBe(first.buffer);
    expect(buffers.take(90_000).buffer).not.toBe(first.buffer);
    const twice = buffers.take(200_000);
    buffers.giveBack(twice);
    buffers.giveBack(twice);
    expect(buffers.take(200_000).buffer).not.toBe(buffers.take(200_000).buffer);
    const chunk = Buffer.allocUnsafeSlow(100_000);
    buffers.giveBack(chunk);
    expect(buffers.take(100_000).buffer).not.toBe(chunk.buffer);
  });
  test("a frame inside one chunk is not copied", () => {
    const { assembler, frames } = collect(1000);
    const chunk = framed(Buffer.alloc(100, 1));
    assembler.push(chunk);
    expect(frames[0]?.buffer).toBe(chunk.buffer);
  });
});
