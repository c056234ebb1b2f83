/** A client of frames and nothing else: what the broker's tests speak with. */
import { connect, type Socket } from "node:net";
import { decodeResponse, encodeRequest } from "#broker/protocol/frame";
import type { Api, Encodable, RequestOf, ResponseOf } from "#broker/protocol/schema";

export class WireClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #pending: ((frame: Buffer) => void)[] = [];
  #failed: ((error: Error) => void)[] = [];
  #buffer = Buffer.alloc(0);
  #nextId = 1;
  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        for (const fail of this.#failed) fail(new Error("connection closed"));
        resolve();
      });
    });
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
  }
  static open(port: number): Promise<WireClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1" }, () => resolve(new WireClient(socket)));
      socket.once("error", reject);
    });
  }
  #receive(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    while (this.#buffer.length >= 4 && this.#buffer.length >= 4 + this.#buffer.readInt32BE(0)) {
      const size = this.#buffer.readInt32BE(0);
      const frame = this.#buffer.subarray(4, 4 + size);
      this.#buffer = this.#buffer.subarray(4 + size);
      this.#failed.shift();
      this.#pending.shift()?.(frame);
    }
  }
  /** The next response's frame, whatever it answers. Rejects when the connection is closed first. */
  next(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) return reject(new Error("connection closed"));
      this.#pending.push(resolve);
      this.#failed.push(reject);
    });
  }
  async send<A extends Api>(api: A, version: number, body: Encodable<RequestOf<A>>): Promise<ResponseOf<A>> {
    const id = this.#nextId++;
    const answered = this.next();
    this.socket.write(encodeRequest(api, version, id, "test", body));
    const { correlationId, body: response } = decodeResponse(api, version, await answered);
    if (correlationId !== id) throw new Error(`answer to ${correlationId}, wanted ${id}`);
    return response;
  }
  close(): void {
    this.socket.destroy();
  }
}
