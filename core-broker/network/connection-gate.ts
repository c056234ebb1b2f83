/**
 * Where new connections wait while there is no place for them (max.connections) or they come faster than allowed
 * (max.connection.creation.rate). They are not read from meanwhile; as many wait as a listener's backlog has, the rest is closed.
 */
import type { Socket } from "node:net";
import type { Clock, Timer } from "../base/clock.ts";
import type { ListenerAddress } from "./types.ts";

export interface ConnectionGateOptions {
  readonly clock: Clock;
  /** Counts a connection of the listener; how long it has to wait. */
  readonly waitMs: (listener: string) => number;
  readonly isFull: (listener: string) => boolean;
  readonly admit: (socket: Socket, listener: ListenerAddress) => void;
}
const WAITING_MAX = 511;

export class ConnectionGate {
  readonly #options: ConnectionGateOptions;
  #waiting: { readonly socket: Socket; readonly listener: ListenerAddress; counted: boolean }[] = [];
  #pause: Timer | null = null;
  constructor(options: ConnectionGateOptions) {
    this.#options = options;
  }
  arrive(socket: Socket, listener: ListenerAddress): void {
    if (this.#waiting.length >= WAITING_MAX) {
      socket.on("error", () => {});
      socket.destroy();
      return;
    }
    const entry = { socket, listener, counted: false };
    this.#waiting.push(entry);
    this.#pump();
    if (this.#waiting.includes(entry)) socket.on("error", () => {});
  }
  /** A connection ended. */
  placeFree(): void {
    if (this.#waiting.length > 0) this.#pump();
  }
  close(): void {
    this.#pause?.cancel();
    for (const { socket } of this.#waiting) socket.destroy();
    this.#waiting = [];
  }
  /** In order; a full listener does not hold up the others, a rate that is passed does, as it is one thread that accepts. */
  #pump(): void {
    const { clock, waitMs, isFull, admit } = this.#options;
    for (let at = 0; at < this.#waiting.length && this.#pause === null; ) {
      const entry = this.#waiting[at];
      if (entry === undefined) return;
      if (entry.socket.destroyed) this.#waiting.splice(at, 1);
      else if (isFull(entry.listener.name)) at++;
      else if (entry.counted) {
        this.#waiting.splice(at, 1);
        admit(entry.socket, entry.listener);
      } else {
        entry.counted = true;
        const delayMs = waitMs(entry.listener.name);
        if (delayMs <= 0) continue;
        this.#pause = clock.after(delayMs, () => {
          this.#pause = null;
          this.#pump();
        });
      }
    }
  }
}
