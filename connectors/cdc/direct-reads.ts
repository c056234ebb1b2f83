/**
 * Sockets that a driver logged in on and that are read without it afterwards: an event and an object per message would cost
 * more than the message itself.
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { InputBuffer } from "./input-buffer.ts";

interface Target {
  readonly input: InputBuffer;
  /** Called after each read. */
  readonly read: () => void;
}
const FIRST_READS_BYTES = 16 * 1024;
/** Sockets that can read into memory of ours. A buffer of its own for each read would keep the garbage collector busy. */
const directReads = new WeakMap<Duplex, { into: Target | null }>();

/** A socket for a driver's connection without TLS. */
export function directSocket(): Socket {
  const reads: { into: Target | null } = { into: null };
  const first = Buffer.allocUnsafeSlow(FIRST_READS_BYTES);
  const socket: Socket = new Socket({
    onread: {
      buffer: () => reads.into?.input.room() ?? first,
      callback(bytes, buffer) {
        const into = reads.into;
        if (into === null) socket.emit("data", Buffer.from(first.subarray(0, bytes)));
        else {
          if (buffer === first) into.input.feed(first.subarray(0, bytes));
          else into.input.filled(bytes);
          into.read();
        }
        return true;
      },
    },
  });
  directReads.set(socket, reads);
  return socket;
}

export interface SocketReader {
  /** Called after each read. */
  readonly read: () => void;
  readonly failed: (error: Error) => void;
  readonly closed: () => void;
}
/** From now on `input` gets what the socket reads, without a copy where it is one of `directSocket`. */
export function readInto(socket: Duplex, input: InputBuffer, { read, failed, closed }: SocketReader): void {
  socket.removeAllListeners("data");
  const reads = directReads.get(socket);
  if (reads !== undefined) reads.into = { input, read };
  else
    socket.on("data", (chunk: Buffer) => {
      input.feed(chunk);
      read();
    });
  socket.on("error", failed);
  socket.on("close", closed);
}
