/**
 * A load whose every event tells whether it was decoded with the right definition of its table: a row says which columns it was written
 * with, and each of them holds its own name. Columns are added, dropped, renamed and moved between any two rows.
 */
import type { Connection, RowDataPacket } from "mysql2/promise";
import type { MysqlPeer } from "../peers/mysql-server.ts";
import { sleep } from "./millrace-process.ts";
import { readToEnd } from "./topic-end.ts";

const COLUMNS_MAX = 9;
const FIXED = new Set(["id", "v", "shape"]);

export class ChangingLoad {
  readonly #peer: MysqlPeer;
  readonly #random: () => number;
  readonly #database: string;
  #sql: Connection | null = null;
  #columns: readonly string[] = [];
  #nextId = 1;
  #version = 0;
  #named = 0;
  #running = true;
  #paused = false;
  #idle = false;
  #done: Promise<void> = Promise.resolve();
  /** Rows whose insertion the server confirmed. */
  readonly inserted = new Set<number>();
  statements = 0;
  definitions = 0;

  constructor(peer: MysqlPeer, database: string, random: () => number) {
    this.#peer = peer;
    this.#database = database;
    this.#random = random;
  }
  async prepare(): Promise<void> {
    const sql = await this.#peer.connect();
    await sql.query(`CREATE DATABASE ${this.#database}`);
    await sql.query(
      `CREATE TABLE ${this.#database}.t (id int PRIMARY KEY, v int NOT NULL, shape varchar(200) NOT NULL, c0 varchar(60), c00 varchar(60))`,
    );
  }
  run(): void {
    this.#done = this.#loop();
  }
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    this.#sql?.destroy();
  }
  /** Resolves when no statement runs. */
  async pause(): Promise<void> {
    this.#paused = true;
    while (!this.#idle) await sleep(5);
  }
  resume(): void {
    this.#paused = false;
    this.#idle = false;
  }
  /** One more row; resolves with its id once it is in. */
  async mark(): Promise<number> {
    for (;;) {
      const id = this.#nextId;
      await this.#attempt(() => this.#insert(1));
      if (this.inserted.has(id)) return id;
    }
  }
  /** Rows as the server has them: version and shape by id. */
  async rows(): Promise<Map<number, string>> {
    const sql = await this.#peer.connect(this.#database);
    const [rows] = await sql.query<RowDataPacket[]>("SELECT id, v, shape FROM t");
    return new Map(rows.map((r) => [Number(r["id"]), `${r["v"]} ${r["shape"]}`]));
  }
  async #loop(): Promise<void> {
    while (this.#running) {
      if (this.#paused) {
        this.#idle = true;
        await sleep(5);
        continue;
      }
      await this.#attempt(() => this.#step());
      await sleep(this.#random() * 3);
    }
    this.#idle = true;
  }
  /** The server may be gone at any moment; what it did with the last statement is not known then. */
  async #attempt(step: () => Promise<void>): Promise<void> {
    try {
      if (this.#sql === null) await this.#connect();
      await step();
      this.statements++;
    } catch {
      this.#sql?.destroy();
      this.#sql = null;
      await sleep(20);
    }
  }
  async #connect(): Promise<void> {
    const sql = await this.#peer.connect(this.#database);
    await this.#readColumns(sql);
    this.#sql = sql;
  }
  async #readColumns(sql: Connection): Promise<void> {
    const [rows] = await sql.query<RowDataPacket[]>(
      "SELECT COLUMN_NAME n FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 't' ORDER BY ORDINAL_POSITION",
      [this.#database],
    );
    this.#columns = rows.map((r) => String(r["n"])).filter((n) => !FIXED.has(n));
  }
  get #session(): Connection {
    if (this.#sql === null) throw new Error("not connected");
    return this.#sql;
  }
  async #step(): Promise<void> {
    const kind = this.#random();
    if (kind < 0.25) return this.#insert(1);
    if (kind < 0.4) return this.#insert(1 + Math.floor(this.#random() * 40));
    if (kind < 0.6) return this.#update();
    if (kind < 0.7) return void (await this.#session.query("DELETE FROM t WHERE id = ?", [this.#someId()]));
    if (kind < 0.85) return this.#transaction();
    return this.#define();
  }
  #someId(): number {
    return Math.max(1, this.#nextId - 1 - Math.floor(this.#random() * 60));
  }
  #cells(id: number, v: number): string[] {
    return this.#columns.map((c) => `'${c}:${id}:${v}'`);
  }
  async #insert(count: number, keep = true): Promise<void> {
    const ids = Array.from({ length: count }, () => this.#nextId++);
    const v = ++this.#version;
    const rows = ids.map((id) => `(${[id, v, `'${this.#columns.join(",")}'`, ...this.#cells(id, v)].join(",")})`);
    await this.#session.query(`INSERT INTO t (${["id", "v", "shape", ...this.#columns].join(",")}) VALUES ${rows.join(",")}`);
    if (keep) for (const id of ids) this.inserted.add(id);
  }
  async #update(): Promise<void> {
    const id = this.#someId(),
      v = ++this.#version;
    const cells = this.#cells(id, v);
    const sets = [`v = ${v}`, `shape = '${this.#columns.join(",")}'`, ...this.#columns.map((c, i) => `${c} = ${cells[i]}`)];
    await this.#session.query(`UPDATE t SET ${sets.join(", ")} WHERE id = ${id}`);
  }
  async #transaction(): Promise<void> {
    const sql = this.#session;
    const from = this.#nextId;
    await sql.query("START TRANSACTION");
    await this.#insert(3, false);
    await this.#update();
    await this.#insert(2, false);
    if (this.#random() < 0.2) return void (await sql.query("ROLLBACK"));
    await sql.query("COMMIT");
    for (let id = from; id < this.#nextId; id++) this.inserted.add(id);
  }
  async #define(): Promise<void> {
    const columns = this.#columns;
    const one = columns[Math.floor(this.#random() * columns.length)] ?? "c0";
    const kind = this.#random();
    const sql = this.#session;
    const place = (): string =>
      this.#random() < 0.4 ? "FIRST" : `AFTER ${columns[Math.floor(this.#random() * columns.length)] ?? "shape"}`;
    if (columns.length < 2 || (kind < 0.4 && columns.length < COLUMNS_MAX)) {
      const type = this.#random() < 0.5 ? "varchar(60)" : "text";
      await sql.query(`ALTER TABLE t ADD COLUMN c${this.#nextId}_${++this.#named} ${type} ${this.#random() < 0.5 ? place() : ""}`);
    } else if (kind < 0.6) await sql.query(`ALTER TABLE t DROP COLUMN ${one}`);
    else if (kind < 0.75)
      await sql.query(`ALTER TABLE t CHANGE ${one} c${this.#nextId}_${++this.#named} varchar(${61 + Math.floor(this.#random() * 30)})`);
    else if (kind < 0.9) await sql.query(`ALTER TABLE t MODIFY ${one} varchar(80) FIRST`);
    else await sql.query(`CREATE TABLE s${++this.#named} LIKE t; DROP TABLE s${this.#named}`);
    this.definitions++;
    await this.#readColumns(sql);
  }
}

export interface Seen {
  /** Version and shape by id, after all events. */
  readonly rows: ReadonlyMap<number, string>;
  readonly created: ReadonlySet<number>;
  /** Offsets at which one version of a row came again, with the offset at which it came before. */
  readonly repeated: readonly (readonly [first: number, again: number])[];
  readonly events: number;
  /** Events that were decoded with another definition than they were written with. */
  readonly wrong: readonly string[];
}
interface Event {
  readonly op: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}
/** What a consumer of the topic holds in the end. */
export async function readTopic(bootstrap: string, topic: string): Promise<Seen> {
  const rows = new Map<number, string>(),
    created = new Set<number>(),
    repeated: [number, number][] = [],
    wrong: string[] = [],
    at = new Map<string, number>();
  let events = 0;
  await readToEnd(bootstrap, [topic], (record) => {
    if (record.value === null) return;
    const { op, before, after } = JSON.parse(Buffer.from(record.value).toString()) as Event;
    const offset = Number(record.offset);
    events++;
    const row = after ?? before;
    const id = Number(row?.["id"]);
    const version = `${op} ${id} ${String(row?.["v"])}`;
    const first = at.get(version);
    if (first !== undefined && op !== "r") repeated.push([first, offset]);
    at.set(version, offset);
    if (after === null) rows.delete(id);
    else {
      if (op !== "u") created.add(id);
      rows.set(id, `${String(after["v"])} ${String(after["shape"])}`);
      if (op !== "r" && misread(after)) wrong.push(`${offset}: ${JSON.stringify(after)}`);
    }
  });
  return { rows, created, repeated, events, wrong };
}
function misread(after: Record<string, unknown>): boolean {
  const columns = Object.keys(after).filter((n) => !FIXED.has(n));
  if (columns.join(",") !== after["shape"]) {
    // Keys may stand in another place than the columns that were written; their set and their cells count.
    if (columns.toSorted().join(",") !== String(after["shape"]).split(",").toSorted().join(",")) return true;
  }
  return columns.some((c) => after[c] !== `${c}:${String(after["id"])}:${String(after["v"])}`);
}
