/**
 * One client connection. Requests are answered one after the other in the order they came (Kafka mutes the channel while it
 * works on a request): a long poll holds a promise, not a thread. While one is worked on, up to `queuedRequestsMax` more
 * may wait; then the socket is paused, and TCP tells the client. A client that does not read its answers gets no further ones.
 */
import type { Socket } from "node:net";
import type { Timer } from "../base/clock.ts";
import { ErrorCode, KafkaError, ProtocolError } from "../protocol/errors.ts";
import { decodeRequest, encodeResponseParts, peekRequest, type RequestPeek } from "../protocol/frame.ts";
import { apiVersions } from "../protocol/messages/api-versions.ts";
import { produce } from "../protocol/messages/produce.ts";
import type { Api, Encodable } from "../protocol/schema.ts";
import type { Handler, Principal, RequestContext } from "../handlers/handler.ts";
import { FrameAssembler } from "./frame-assembler.ts";
import type { BufferPool } from "../base/buffer-pool.ts";
import type { RequestMemory } from "./request-memory.ts";
import { tlsPrincipal } from "./tls-principal.ts";
import type { Authenticator, ListenerAddress, NetworkDeps } from "./types.ts";

const ANONYMOUS = { type: "User", name: "ANONYMOUS" } as const;
const NO_FRAME = Buffer.alloc(0);
const RELEASED_BYTES_MIN = 16 << 10;
type Body = Encodable<Record<string, unknown>> | null;

export interface ConnectionOptions {
  readonly id: number;
  readonly socket: Socket;
  readonly listener: ListenerAddress;
  readonly deps: NetworkDeps;
  readonly memory: RequestMemory;
  readonly buffers: BufferPool;
  readonly onClose: (connection: Connection) => void;
}

export class Connection {
  readonly id: number;
  readonly host: string;
  lastActiveMs: number;
  readonly #socket: Socket;
  readonly #listener: ListenerAddress;
  readonly #deps: NetworkDeps;
  readonly #memory: RequestMemory;
  readonly #buffers: BufferPool;
  readonly #assembler: FrameAssembler;
  readonly #authenticator: Authenticator | null;
  readonly #aborted = new AbortController();
  readonly #queue: Buffer[] = [];
  #pendingBytes = 0;
  #busy = false;
  /** The request being answered, when it began, who asked, and the time that the thread spent on it. */
  #frame: Buffer = NO_FRAME;
  #startedMs = 0;
  #busyMs = 0;
  #context: RequestContext | null = null;
  /** Set while a quota keeps this connection from being read. */
  #muted: Timer | null = null;
  #closed = false;
  #finishing = false;
  #rights: RequestContext["rights"] | null = null;
  #rightsOf: Principal | null = null;
  #certified: Principal | null = null;

  constructor(options: ConnectionOptions) {
    const { socket, deps } = options;
    this.id = options.id;
    this.host = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    this.lastActiveMs = deps.clock.monotonic();
    this.#socket = socket;
    this.#listener = options.listener;
    this.#deps = deps;
    this.#memory = options.memory;
    const needsSasl = options.listener.protocol.startsWith("SASL");
    this.#authenticator = needsSasl ? (deps.authenticator?.(options.listener) ?? null) : null;
    const bytesMax = deps.limits.requestBytesMax;
    const firstBytesMax = Math.min(bytesMax, this.#authenticator?.receiveBytesMax ?? bytesMax);
    this.#buffers = options.buffers;
    this.#assembler = new FrameAssembler(firstBytesMax, options.buffers, (frame) => this.#enqueue(frame));
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("drain", () => this.#work());
    socket.on("error", () => this.close());
    socket.on("close", () => {
      this.close();
      options.onClose(this);
    });
  }
  /** A request is being answered or waits for it. */
  get active(): boolean {
    return this.#busy || this.#queue.length > 0 || this.#muted !== null;
  }
  /** Nothing new is begun; what is being answered is answered, long polls at once with what there is, and then it ends. */
  finish(): void {
    if (this.#closed || this.#finishing) return;
    this.#finishing = true;
    this.#socket.pause();
    this.#aborted.abort();
    if (!this.#busy) this.#end();
  }
  #end(): void {
    this.#socket.end(() => this.close());
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    let held = this.#pendingBytes + (this.#busy ? this.#frame.length : 0);
    for (const frame of this.#queue) held += frame.length;
    this.#memory.leave(this.#queue.length);
    this.#queue.length = 0;
    this.#muted?.cancel();
    this.#aborted.abort();
    this.#socket.destroy();
    this.#memory.give(held);
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return;
    this.lastActiveMs = this.#deps.clock.monotonic();
    try {
      this.#assembler.push(chunk);
    } catch (error) {
      return this.#refuse(error);
    }
    if (this.#closed) return; // by a request that was none
    if (!this.#assembler.shared) release(chunk);
    const pending = this.#assembler.pendingBytes;
    this.#memory.take(pending - this.#pendingBytes);
    this.#pendingBytes = pending;
    this.#throttle();
  }
  #enqueue(frame: Buffer): void {
    if (this.#closed) return;
    this.#memory.take(frame.length);
    this.#memory.enter();
    this.#queue.push(frame);
    this.#work();
  }
  /** Stops reading when too much waits: of this connection, or of all together. */
  #throttle(): void {
    if (this.#queue.length > this.#deps.limits.queuedRequestsMax) {
      this.#socket.pause();
    } else if (this.#memory.full) {
      if (this.active) {
        this.#socket.pause();
        this.#memory.whenRoom(() => this.#resume());
      } else if (this.#memory.bytes > 2 * this.#deps.limits.queuedBytesMax) {
        this.#refuse(new ProtocolError("too much memory is held by incomplete requests"));
      }
    }
  }
  #resume(): void {
    if (this.#closed || this.#muted !== null || !this.#socket.isPaused()) return;
    if (this.#queue.length <= this.#deps.limits.queuedRequestsMax) this.#socket.resume();
  }
  /** A quota was passed: the answer is out and says how long, and nothing is read until then. */
  #mute(delayMs: number): void {
    if (this.#closed) return;
    this.#socket.pause();
    this.#muted?.cancel();
    this.#muted = this.#deps.clock.after(delayMs, () => {
      this.#muted = null;
      this.#work();
      this.#resume();
    });
  }
  #work(): void {
    while (!this.#busy && !this.#closed && !this.#finishing && this.#muted === null && !this.#socket.writableNeedDrain) {
      const frame = this.#queue.shift();
      if (frame === undefined) return;
      this.#memory.leave(1);
      this.#busy = true;
      this.#frame = frame;
      this.#answer(frame);
    }
  }
  #done(): void {
    this.#busy = false;
    this.lastActiveMs = this.#deps.clock.monotonic();
    if (this.#closed) return;
    this.#memory.give(this.#frame.length);
    this.#frame = NO_FRAME;
    if (this.#finishing) return this.#end();
    if (this.#socket.isPaused() && !this.#memory.full) this.#resume();
  }
  #answer(frame: Buffer): void {
    const bare = this.#authenticator?.bareMessage ?? null;
    if (bare !== null) {
      void this.#answerBare(bare, frame);
      return;
    }
    let peek: RequestPeek;
    let handler: Handler | undefined;
    let result: ReturnType<Handler["run"]>;
    try {
      peek = peekRequest(frame);
      if (peek.apiKey === apiVersions.key && peek.version > apiVersions.versions[1]) return this.#answerUnknownVersion(peek);
      handler = this.#handlerOf(peek);
      this.#startedMs = this.#deps.clock.monotonic();
      const request = decodeRequest(frame);
      this.#context = this.#contextOf(peek, request.clientId);
      // The handler was declared with this api, whose shape the body was decoded with.
      result = handler.run(this.#context, request.body as never);
      this.#busyMs = this.#deps.clock.monotonic() - this.#startedMs;
    } catch (error) {
      if (handler === undefined) return this.#refuse(error);
      return this.#fail(handler.api, peek!, error); // set before the handler was
    }
    const { api } = handler;
    if (result instanceof Promise) {
      result.then(
        (body) => this.#settle(api, peek, body),
        (error: unknown) => {
          this.#fail(api, peek, error);
          this.#work();
        },
      );
    } else this.#respond(api, peek, result);
  }
  async #answerBare(bare: (message: Buffer) => Promise<Buffer | null>, frame: Buffer): Promise<void> {
    let reply: Buffer | null = null;
    try {
      reply = await bare(frame);
    } catch (error) {
      this.#deps.onHandlerFailure("SASL", error);
    }
    if (reply === null) return this.close();
    if (this.#closed) return;
    const size = Buffer.alloc(4);
    size.writeInt32BE(reply.length, 0);
    this.#socket.write(Buffer.concat([size, reply]));
    this.#done();
    if (this.#authenticator !== null) this.#afterAuthentication(this.#authenticator);
    this.#work();
  }
  #settle(api: Api, peek: RequestPeek, body: Body): void {
    this.#respond(api, peek, body);
    this.#work();
  }
  #handlerOf(peek: RequestPeek): Handler {
    const authenticator = this.#authenticator;
    if (authenticator !== null || this.#listener.protocol.startsWith("SASL")) {
      const own = authenticator?.handler(peek.apiKey);
      if (own !== undefined) return own;
      if (authenticator === null || (!authenticator.complete && peek.apiKey !== apiVersions.key)) {
        throw new ProtocolError(`API key ${peek.apiKey} before authentication`);
      }
      if (authenticator.expired) throw new ProtocolError(`API key ${peek.apiKey} after the end of the session`);
    }
    const handler = this.#deps.handlers.get(peek.apiKey);
    if (handler === undefined) throw new ProtocolError(`API key ${peek.apiKey} is not served`);
    return handler;
  }
  /** Read once: a certificate stays what it is. */
  #ofCertificate(): Principal {
    try {
      return tlsPrincipal(this.#socket, this.#deps.nameOfCertificate?.(this.#listener)) ?? ANONYMOUS;
    } catch (error) {
      throw new ProtocolError(error instanceof Error ? error.message : String(error));
    }
  }
  #contextOf(peek: RequestPeek, clientId: string | null): RequestContext {
    const principal = this.#authenticator?.principal ?? (this.#certified ??= this.#ofCertificate());
    if (this.#rights === null || this.#rightsOf !== principal) {
      this.#rights = this.#deps.rights(principal, this.host);
      this.#rightsOf = principal;
    }
    return {
      version: peek.version,
      correlationId: peek.correlationId,
      clientId,
      principal,
      rights: this.#rights,
      host: this.host,
      listener: this.#listener.name,
      connectionId: this.id,
      signal: this.#aborted.signal,
    };
  }
  /** KIP-511: the asker cannot read a newer answer; it gets the oldest form with our versions in it. */
  #answerUnknownVersion(peek: RequestPeek): void {
    const range = { apiKey: apiVersions.key, minVersion: apiVersions.versions[0], maxVersion: apiVersions.versions[1] };
    this.#respond(apiVersions, { ...peek, version: 0 }, { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys: [range] });
  }
  #respond(api: Api, peek: RequestPeek, answer: Body): void {
    let sentBytes = 0;
    const throttleMs = this.#throttleMs(api, answer);
    if (!this.#closed && answer !== null) {
      let parts: Buffer[];
      try {
        const body = throttleMs > 0 && "throttleTimeMs" in api.response ? { ...answer, throttleTimeMs: throttleMs } : answer;
        parts = encodeResponseParts(api, peek.version, peek.correlationId, body);
      } catch (error) {
        this.#deps.onHandlerFailure(api.name, error);
        return this.close();
      }
      for (const part of parts) sentBytes += part.length;
      this.#write(parts);
    }
    if (throttleMs > 0) this.#mute(throttleMs);
    this.#observe(api, peek, answer, sentBytes, throttleMs);
    // Produce has written its records when it answers; other handlers may keep views on their request.
    if (api.key === produce.key && !this.#closed) this.#buffers.giveBack(this.#frame);
    this.#done();
    if (this.#authenticator !== null) this.#afterAuthentication(this.#authenticator);
  }
  /** The longest of what the handler and the client's quotas ask for. */
  #throttleMs(api: Api, answer: Body): number {
    const asked = Number(answer?.["throttleTimeMs"] ?? 0);
    const { quotas } = this.#deps;
    if (quotas?.active !== true || this.#context === null) return asked;
    const bytesMs = api.key === produce.key ? quotas.produce(this.#context, this.#frame.length) : 0;
    return Math.max(asked, bytesMs, quotas.request(this.#context, this.#busyMs));
  }
  #observe(api: Api, peek: RequestPeek, answer: Body, responseBytes: number, throttleMs: number): void {
    const { observer } = this.#deps;
    if (observer === undefined) return;
    observer.answered({
      api: api.name,
      version: peek.version,
      errorCode: Number(answer?.["errorCode"] ?? 0),
      tookMs: this.#deps.clock.monotonic() - this.#startedMs,
      localMs: this.#busyMs,
      throttleMs,
      requestBytes: this.#frame.length,
      responseBytes,
    });
  }
  #afterAuthentication(authenticator: Authenticator): void {
    if (authenticator.complete) this.#assembler.bytesMax = this.#deps.limits.requestBytesMax;
    // The answer still goes out before the end.
    if (authenticator.failed && !this.#closed) this.#socket.end(() => this.close());
  }
  #write(parts: readonly Buffer[]): void {
    if (parts.length === 1) {
      this.#socket.write(parts[0]!); // the length was just checked
      return;
    }
    this.#socket.cork();
    const last = parts.length - 1;
    for (let i = 0; i < last; i++) this.#socket.write(parts[i]!); // below the length
    this.#socket.write(parts[last]!, (error) => {
      if (!error) this.#deps.onSent?.(parts);
    }); // the length was checked above
    this.#socket.uncork();
  }
  /** A handler threw. Where the answer has a place for a code the client learns it, else the connection is closed. */
  #fail(api: Api, peek: RequestPeek, error: unknown): void {
    if (this.#closed) return;
    if (error instanceof ProtocolError) return this.#refuse(error);
    const known = error instanceof KafkaError;
    const canTell = "errorCode" in api.response;
    if (!known || !canTell) this.#deps.onHandlerFailure(api.name, error);
    if (!canTell) return this.close();
    const code = known ? error.code : ErrorCode.UNKNOWN_SERVER_ERROR;
    const message = known && "errorMessage" in api.response ? { errorMessage: error.message } : {};
    this.#respond(api, peek, { errorCode: code, ...message });
  }
  /** What came is no request. Said once per connection, as it is the last thing that this connection does. */
  #refuse(error: unknown): void {
    if (this.#closed) return;
    this.#deps.logger.warn("connection closed: the peer sent what is no valid request", {
      peer: this.host,
      listener: this.#listener.name,
      reason: error instanceof Error ? error.message : String(error),
    });
    this.close();
  }
}

/**
 * Frees what the socket read into at once. Left to the collector, these bytes make it go through the whole heap dozens of
 * times a second of produce traffic.
 */
function release(chunk: Buffer): void {
  const memory = chunk.buffer;
  if (chunk.length >= RELEASED_BYTES_MIN && chunk.length === memory.byteLength && memory instanceof ArrayBuffer) memory.transfer(0);
}
