/** Sessions that read rows: input that was stopped for want of room goes on, also for the query after it. */
import { Duplex } from "node:stream";
import mysql from "mysql2";
import { afterEach, describe, expect, test } from "vitest";
import { type TextRowConsumer, TextSession } from "#connectors/mysql/text-session";

/** Each query is answered with the rows, all in one piece. */
class AnsweringServer extends Duplex {
  readonly #rows: readonly string[];
  queries = 0;
  constructor(rows: readonly string[]) {
    super();
    this.#rows = rows;
  }
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.queries++;
    const payloads = [Buffer.from([1]), Buffer.from("definition"), Buffer.from([0xfe, 0, 0, 2, 0])];
    for (const row of this.#rows) payloads.push(Buffer.concat([Buffer.from([row.length]), Buffer.from(row)]));
    payloads.push(Buffer.from([0xfe, 0, 0, 2, 0]));
    this.push(Buffer.concat(payloads.map((body, i) => Buffer.concat([Buffer.from([body.length, 0, 0, i + 1]), body]))));
    done();
  }
}
/** Has room for so many rows. */
class Taker implements TextRowConsumer {
  room: number;
  readonly rows: string[] = [];
  constructor(room: number) {
    this.room = room;
  }
  get ready(): boolean {
    return this.rows.length < this.room;
  }
  row(b: Buffer, { starts, ends }: { readonly starts: Int32Array; readonly ends: Int32Array }): void {
    this.rows.push(b.toString("utf8", starts[0], ends[0]));
  }
  flushed(): void {}
}
const ROWS = ["first", "second", "third"];
const sessions: TextSession[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});
function sessionOn(server: AnsweringServer): TextSession {
  const session = new TextSession(mysql.createConnection({ stream: server, connectTimeout: 0 }).promise());
  sessions.push(session);
  return session;
}
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe("a text session", () => {
  test("stops when there is no room, and goes on when told so", async () => {
    const session = sessionOn(new AnsweringServer(ROWS));
    const taker = new Taker(2);
    const read = session.query("SELECT 1", taker);
    await settled();
    expect(taker.rows).toEqual(ROWS.slice(0, 2));
    taker.room = 10;
    session.resume();
    await read;
    expect(taker.rows).toEqual(ROWS);
  });
  test("answers the next query although the one before ended with what was read before the stop", async () => {
    const server = new AnsweringServer(ROWS);
    const session = sessionOn(server);
    const first = new Taker(2);
    const read = session.query("SELECT 1", first);
    await settled();
    first.room = 10;
    session.resume();
    await read;
    // Nothing is full any more, so nobody calls resume again.
    const second = new Taker(10);
    await session.query("SELECT 2", second);
    expect(second.rows).toEqual(ROWS);
    expect(server.queries).toBe(2);
  });
});
